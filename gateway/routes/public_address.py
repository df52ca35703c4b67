"""Under which address the world knows this gateway: the issuer of its tokens, links to its pages."""

from dataclasses import dataclass

from chassis.errors import Unavailable


@dataclass(slots=True)
class PublicAddress:
    """The configured address, or where the gateway listens, known once it does.

    Never what a request claims in its `Host` header: whoever sends that would name the issuer.
    """

    url: str = ""

    def listening(self, host: str, port: int) -> None:
        """The gateway listens; that is its address unless another is configured."""
        if not self.url:
            shown = "127.0.0.1" if host in {"0.0.0.0", ""} else host  # noqa: S104 -- compared only
            shown = "::1" if shown == "::" else shown
            self.url = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"

    @property
    def known(self) -> str:
        """The address, without a slash at its end.

        Raises:
            Unavailable: the gateway does not listen yet.
        """
        if not self.url:
            raise Unavailable("The gateway is starting", retry_after=1)
        return self.url
