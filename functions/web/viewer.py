"""The viewer of a request: its scheme, the page's own origin, and where the request came from.

A function behind CloudFront gets its own URL as `Host`, and CloudFront as the client. So a function
at the edge (`infra.stack.cdn.VIEWER_HEADERS`) writes what the viewer sent into two headers, and
overwrites what the viewer wrote there. They are believed only where the setting
`behind_cloudfront` says that CloudFront is in front: anywhere else, anybody could write them.
"""

from starlette.requests import Request

from ..settings import Settings

HOST_HEADER = "x-chatkit-viewer-host"
"""The `Host` that the browser asked CloudFront for, such as `d111111abcdef8.cloudfront.net`."""

IP_HEADER = "x-chatkit-viewer-ip"
"""The IPv4 or IPv6 address that connected to CloudFront."""


def scheme_of(request: Request) -> str:
    """`http` or `https`, as the proxy in front says: a function's URL, for instance."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return forwarded or request.url.scheme


def page_origin(request: Request, settings: Settings) -> str | None:
    """The origin of a page on this very server, such as `https://chat.example.com`.

    Behind CloudFront it is None when the request has no `HOST_HEADER`.
    """
    host = request.headers.get(HOST_HEADER if settings.behind_cloudfront else "host")
    if not host:
        return None
    return f"{scheme_of(request)}://{host}"


def viewer_ip(request: Request, settings: Settings) -> str | None:
    """The viewer's address as CloudFront saw it; None where CloudFront is not in front."""
    return request.headers.get(IP_HEADER) if settings.behind_cloudfront else None
