"""The page: its address, what it may show and who may show it, and what the model learns of it."""

from typing import Literal

from pydantic import Field

from functions.settings import Origins
from infra.stack.settings.group import SettingsGroup


class PageQuerySettings(SettingsGroup):
    page_query: bool = Field(
        False,
        description="Tell the model the query of the page's address, too. Any link may set it.",
    )


class PageSettings(SettingsGroup):
    domain_key: str = Field(
        "local-dev",
        description="ChatKit's domain key for the page's domain, from OpenAI's dashboard. "
        "`chatkit.js` shows nothing on a real domain without one.",
    )
    domain_name: str | None = Field(
        None,
        max_length=253,
        pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$",
        description="Domain of the page. It needs `certificateArn` or `hostedZone`.",
    )
    certificate_arn: str | None = Field(
        None,
        pattern=r"^arn:aws:acm:us-east-1:\d{12}:certificate/\S+$",
        description="Certificate for `domainName`, in us-east-1.",
    )
    hosted_zone: str | None = Field(
        None,
        pattern=r"^Z[A-Z0-9]+/\S+$",
        description="Route 53 zone as `<id>/<name>` (`Z0123ABC/example.com`). The stack makes the "
        "domain's records there and, without `certificateArn`, the certificate in us-east-1.",
    )
    frame_ancestors: Origins = Field(
        default_factory=list,
        description="Origins whose pages may show this page in a frame: exact, comma-separated. "
        "By default no page may.",
    )
    image_sources: Origins | None = Field(
        None,
        description="Origins whose pictures the page may show besides its own and the files: "
        "exact, comma-separated; `[]` in `cdk.json` for none. By default any picture over HTTPS: "
        "the server that it comes from then learns the reader's address.",
    )
    price_class: Literal["100", "200", "all"] = Field(
        "100",
        description="CloudFront's edges: `100` is North America and Europe, the cheapest.",
    )

    @property
    def makes_certificate(self) -> bool:
        return self.hosted_zone is not None and self.certificate_arn is None
