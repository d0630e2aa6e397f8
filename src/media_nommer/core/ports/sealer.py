"""Sealing: what workers need and nobody else may read, kept where it can be seen."""

from abc import ABC, abstractmethod


class Sealer(ABC):
    """Makes secrets unreadable for all who lack the installation's key.

    ``context`` says what a secret is for: what was sealed for one thing opens for no other.
    Methods may be called from any thread.
    """

    @abstractmethod
    def reference(self, secret: bytes, context: str) -> str:
        """Return 32 hexadecimal digits that stand for a secret, and tell nothing of it.

        The same secret in the same context has the same ones, always.
        """

    @abstractmethod
    def seal(self, secret: bytes, context: str) -> bytes:
        """Return a secret sealed; no two seals of one are alike."""

    @abstractmethod
    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed.

        Raises:
            SecretUnreadable: it was sealed with another key or for something else, or was
                changed since.
        """
