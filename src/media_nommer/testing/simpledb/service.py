"""The ten actions of SimpleDB, without the HTTP."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from media_nommer.core.clock import Clock
from media_nommer.testing.simpledb import answers, requests
from media_nommer.testing.simpledb.conditions import Item
from media_nommer.testing.simpledb.counts import SelectWork, boxes
from media_nommer.testing.simpledb.domain import Domain
from media_nommer.testing.simpledb.errors import SimpleDbError
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.requests import Parameters
from media_nommer.testing.simpledb.select import parse
from media_nommer.testing.simpledb.selecting import Page, select_page

_DOMAINS = "domains behind "


@dataclass(frozen=True, slots=True)
class Done:
    """An action carried out: its result as XML if it has one, and what it took."""

    result: str | None
    box_usage: float
    work: SelectWork | None = None


class Service:
    """Domains, and what can be done with them.

    Not safe to use from several threads at once: the server has one lock around it.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.lag = timedelta()
        self._limits = limits
        self._clock = clock
        self._domains: dict[str, Domain] = {}
        self._actions: Mapping[str, Callable[[Parameters], Done]] = {
            "CreateDomain": self._create_domain,
            "DeleteDomain": self._delete_domain,
            "ListDomains": self._list_domains,
            "DomainMetadata": self._domain_metadata,
            "PutAttributes": self._put_attributes,
            "BatchPutAttributes": self._batch_put_attributes,
            "DeleteAttributes": self._delete_attributes,
            "BatchDeleteAttributes": self._batch_delete_attributes,
            "GetAttributes": self._get_attributes,
            "Select": self._select,
        }

    def call(self, action: str, parameters: Parameters) -> Done:
        """Carry out an action.

        Raises:
            SimpleDbError: it is refused, and nothing was changed.
        """
        if not action:
            raise SimpleDbError("MissingAction", "The request names no action")
        if action not in self._actions:
            raise SimpleDbError("InvalidAction", f"There is no action {action}")
        requests.authenticate(parameters)
        return self._actions[action](parameters)

    def settle(self) -> None:
        """Let every read see every write from now on."""
        for domain in self._domains.values():
            domain.settle()

    def domain(self, name: str) -> Domain:
        """Return a domain.

        Raises:
            SimpleDbError: there is none of this name.
        """
        if name not in self._domains:
            raise SimpleDbError("NoSuchDomain", "The specified domain does not exist")
        return self._domains[name]

    def _create_domain(self, parameters: Parameters) -> Done:
        name = requests.new_domain_name(parameters)
        if name not in self._domains:
            if len(self._domains) >= self._limits.domains:
                raise SimpleDbError("NumberDomainsExceeded", "Too many domains")
            self._domains[name] = Domain(self._limits, self._clock)
        return Done(None, boxes("CreateDomain", 0))

    def _delete_domain(self, parameters: Parameters) -> Done:
        self._domains.pop(requests.required(parameters, "DomainName"), None)
        return Done(None, boxes("DeleteDomain", 0))

    def _list_domains(self, parameters: Parameters) -> Done:
        size = requests.page_size(parameters)
        token = parameters.get("NextToken")
        after = "" if token is None else _domain_of(token)
        names = sorted(name for name in self._domains if name > after)
        more = _token_of(names[size - 1]) if len(names) > size else None
        listed = answers.listed("DomainName", names[:size], more)
        return Done(listed, boxes("ListDomains", 0))

    def _domain_metadata(self, parameters: Parameters) -> Done:
        table = self._of(parameters).latest
        numbers = {
            "ItemCount": len(table.items),
            "ItemNamesSizeBytes": table.item_name_bytes,
            "AttributeNameCount": len(table.attribute_names),
            "AttributeNamesSizeBytes": table.attribute_name_bytes,
            "AttributeValueCount": table.value_count,
            "AttributeValuesSizeBytes": table.value_bytes,
            "Timestamp": int(self._clock.now().timestamp()),
        }
        return Done(answers.fields(numbers), boxes("DomainMetadata", 0))

    def _put_attributes(self, parameters: Parameters) -> Done:
        domain = self._of(parameters)
        name = requests.item_name(parameters, self._limits)
        pairs = requests.put_pairs(parameters, name, self._limits)
        expected = requests.expected(parameters, self._limits)
        if expected is not None:
            domain.check(name, expected)
        domain.put({name: pairs}, self.lag)
        return Done(None, boxes("PutAttributes", len(pairs)))

    def _batch_put_attributes(self, parameters: Parameters) -> Done:
        domain = self._of(parameters)
        items = requests.batch(parameters, self._limits)
        puts = {
            name: requests.put_pairs(own, name, self._limits) for name, own in items.items()
        }
        domain.put(puts, self.lag)
        spent = sum(boxes("BatchPutAttributes", len(pairs)) for pairs in puts.values())
        return Done(None, spent)

    def _delete_attributes(self, parameters: Parameters) -> Done:
        domain = self._of(parameters)
        name = requests.item_name(parameters, self._limits)
        pairs = requests.delete_pairs(parameters, self._limits)
        expected = requests.expected(parameters, self._limits)
        if expected is not None:
            domain.check(name, expected)
        domain.delete({name: pairs}, self.lag)
        return Done(None, boxes("DeleteAttributes", 0))

    def _batch_delete_attributes(self, parameters: Parameters) -> Done:
        domain = self._of(parameters)
        items = requests.batch(parameters, self._limits)
        domain.delete(
            {name: requests.delete_pairs(own, self._limits) for name, own in items.items()},
            self.lag,
        )
        return Done(None, boxes("BatchDeleteAttributes", 0) * len(items))

    def _get_attributes(self, parameters: Parameters) -> Done:
        domain = self._of(parameters)
        name = requests.item_name(parameters, self._limits)
        consistent = requests.flag(parameters, "ConsistentRead")
        item: Item = domain.read(consistent=consistent).items.get(name, {})
        if wanted := requests.attribute_names(parameters):
            item = {attribute: item[attribute] for attribute in wanted if attribute in item}
        amount = sum(map(len, item.values()))
        return Done(answers.attributes(item), boxes("GetAttributes", amount))

    def _select(self, parameters: Parameters) -> Done:
        expression = requests.required(parameters, "SelectExpression")
        query = parse(expression, self._limits)
        consistent = requests.flag(parameters, "ConsistentRead")
        table = self.domain(query.domain).read(consistent=consistent)
        token = parameters.get("NextToken")
        page = select_page(query, table, token, self._limits, _size)
        items = _counted(page) if query.counts else page.items
        more = answers.listed("NextToken", () if page.token is None else [page.token], None)
        return Done(
            "".join(answers.found_item(*found) for found in items) + more,
            boxes("Select", page.examined),
            SelectWork(expression, page.examined, page.matched),
        )

    def _of(self, parameters: Parameters) -> Domain:
        return self.domain(requests.required(parameters, "DomainName"))


def _counted(page: Page) -> tuple[tuple[str, Item], ...]:
    return (("Domain", {"Count": frozenset({str(page.matched)})}),)


def _size(name: str, item: Item) -> int:
    return len(answers.found_item(name, item).encode())


def _token_of(name: str) -> str:
    return base64.b64encode(f"{_DOMAINS}{name}".encode()).decode()


def _domain_of(token: str) -> str:
    try:
        text = base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text.startswith(_DOMAINS):
        raise SimpleDbError("InvalidNextToken", "The token is of no page of domains")
    return text.removeprefix(_DOMAINS)
