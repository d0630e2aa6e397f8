"""Nodes in DynamoDB: the living, and apart from them those that are gone.

Both lie in a few partitions each. Where a node goes its record is moved, so that the many
who ask for the living do not read the dead. The swap in its first place is what decides;
then its copy is written in the second, and the first is removed. Whoever dies in between
leaves a node in both places, and of two versions the newer one counts.
"""

from media_nommer.adapters.aws.dynamodb.table import (
    SHARDS,
    DynamoTable,
    Key,
    Look,
    shard_of,
)
from media_nommer.adapters.aws.items.packing import checked, key_of, pack
from media_nommer.adapters.aws.items.records import Records
from media_nommer.core.errors import AlreadyExists, NodeNotFound
from media_nommer.core.nodes import Node, NodeId

_LIVING, _GONE = "nodes", "gone"


class Nodes:
    """The nodes of one table."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table
        self._records = Records(table, Node, NodeNotFound)

    def add(self, node: Node) -> Node:
        """Remember a new node.

        Raises:
            AlreadyExists: there is a node with this id, or was one that is gone.
        """
        key = _key(_LIVING, node.id)
        checked(key.sk, "node")
        added = self._records.add(key, node, {})
        if added is None:
            raise AlreadyExists(f"there is a node {node.id} already")
        # Looked for last: a node that goes meanwhile is there before it is here no more.
        if self._records.find(_key(_GONE, node.id)) is not None:
            self._table.remove(key, read_at=added.revision)
            raise AlreadyExists(f"there was a node {node.id}, and it is gone")
        return added

    def get(self, node_id: NodeId) -> Node:
        """Return the latest version of a node.

        Raises:
            NodeNotFound: no node has this id.
        """
        living = self._records.find(_key(_LIVING, node_id))
        return living or self._records.get(_key(_GONE, node_id), node_id)

    def swap(self, node: Node) -> Node:
        """Replace the version that ``node`` was made from.

        Raises:
            Overtaken: another version was stored meanwhile.
            NodeNotFound: no node has this id.
        """
        try:
            swapped = self._records.swap(_key(_LIVING, node.id), node, {}, node.id)[0]
        except NodeNotFound:
            return self._records.swap(_key(_GONE, node.id), node, {}, node.id)[0]
        if swapped.gone:
            self._move(swapped)
        return swapped

    def all(self, *, gone: bool) -> tuple[Node, ...]:
        """Return the nodes by id; those that are gone only where ``gone`` asks for them."""
        found: dict[NodeId, Node] = {}
        for place in (_LIVING, _GONE) if gone else (_LIVING,):
            for shard in range(SHARDS):
                look = Look(of=("pk", f"{place} {shard}"), consistent=True)
                for node in map(self._records.of, self._table.query(look)):
                    if node.id not in found or node.revision > found[node.id].revision:
                        found[node.id] = node
        wanted = (node for node in found.values() if gone or not node.gone)
        return tuple(sorted(wanted, key=lambda node: node.id))

    def forget(self, node_id: NodeId) -> None:
        """Remove the record of a node that is gone."""
        self._table.write(deletes=(_key(_LIVING, node_id), _key(_GONE, node_id)))

    def _move(self, node: Node) -> None:
        """Write the copy of a node that is gone, then remove it from the living."""
        values = {"rev": node.revision, "doc": pack(node)}
        self._table.put_newer(_key(_GONE, node.id), values)
        self._table.remove(_key(_LIVING, node.id), read_at=node.revision)


def _key(place: str, node_id: NodeId) -> Key:
    return Key(f"{place} {shard_of(node_id)}", key_of(node_id))
