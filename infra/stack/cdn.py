"""CloudFront: one address for the page and both functions."""

from dataclasses import dataclass

from aws_cdk import Annotations, Duration, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.stack.function import UrlFunction

READ_TIMEOUT = 60
"""Seconds that CloudFront waits for each packet. A stream sends a comment after 15 s of silence."""

CHATKIT_CDN = "https://cdn.platform.openai.com"
"""Serves `chatkit.js` and the frame that it opens."""

OPENAI_API = "https://api.openai.com"
"""`chatkit.js` verifies its domain key there."""

# A path without a dot in its last part is an address within the page and not a file. This is a
# function and not an error page, because an error page would also replace the API's 403 and 404.
SPA_FALLBACK = """\
function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  if (last.indexOf('.') === -1) { request.uri = '/index.html'; }
  return request;
}
"""

# A function behind CloudFront gets its own URL as Host, and CloudFront as the client. What a client
# itself writes into these headers is replaced. The names are those of functions/web/viewer.py.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
VIEWER_HEADERS = """\
function handler(event) {
  var request = event.request;
  request.headers['x-chatkit-viewer-host'] = { value: request.headers.host.value };
  request.headers['x-chatkit-viewer-ip'] = { value: event.viewer.ip };
  return request;
}
"""

_PRICE_CLASSES = {
    "100": cloudfront.PriceClass.PRICE_CLASS_100,
    "200": cloudfront.PriceClass.PRICE_CLASS_200,
    "all": cloudfront.PriceClass.PRICE_CLASS_ALL,
}


@dataclass(frozen=True)
class Domain:
    """A custom domain and its certificate in us-east-1."""

    name: str
    certificate: acm.ICertificate


def content_security_policy(
    *,
    files_bucket: s3.IBucket,
    frame_ancestors: list[str],
    image_sources: list[str] | None,
    sign_in: list[str],
) -> str:
    """The page may load and call itself, ChatKit's script and frame, OpenAI's API and the files.

    `sign_in` are the origins that it calls to sign people in.

    The frame has a policy of its own. Styles may be inline, because the element and React set
    `style` attributes. Pictures may come from anywhere over HTTPS, because a widget or an
    answer may show any picture, unless `image_sources` name the origins.
    """
    region = Stack.of(files_bucket).region
    files = (
        f"https://{files_bucket.bucket_name}.s3.{region}.amazonaws.com "
        f"https://{files_bucket.bucket_name}.s3.amazonaws.com"
    )
    pictures = "https:" if image_sources is None else " ".join([files, *image_sources])
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' {CHATKIT_CDN}",
        "style-src": "'self' 'unsafe-inline'",
        "font-src": f"'self' data: {CHATKIT_CDN}",
        "img-src": f"'self' data: blob: {pictures}",
        "connect-src": " ".join(["'self'", CHATKIT_CDN, OPENAI_API, files, *sign_in]),
        "frame-src": CHATKIT_CDN,
        "worker-src": "'self' blob:",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(frame_ancestors) or "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


class Cdn(Construct):
    """The distribution: `/` is the page, `/chatkit*` and `/actions*` are the functions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        site_bucket: s3.IBucket,
        chat: UrlFunction,
        actions: UrlFunction,
        csp: str,
        domain: Domain | None,
        web_acl_arn: str | None,
        price_class: str,
    ) -> None:
        super().__init__(scope, construct_id)
        # These names are unique in an account across regions, and a stage may be in two regions.
        place = f"{Stack.of(self).stack_name}-{Stack.of(self).region}"
        headers = cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=f"{place}-headers",
            comment="Security headers of the page and its API",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=csp, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(365),
                    include_subdomains=False,
                    override=True,
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
                    override=True,
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(
                        header="Permissions-Policy",
                        # Dictation runs in ChatKit's frame, voice notes in the page.
                        value=f'microphone=(self "{CHATKIT_CDN}"), camera=(), geolocation=()',
                        override=True,
                    )
                ]
            ),
        )
        fallback = cloudfront.Function(
            self,
            "SpaFallback",
            comment="Sends the page for every address that is not a file",
            code=cloudfront.FunctionCode.from_inline(SPA_FALLBACK),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        viewer = cloudfront.Function(
            self,
            "ViewerHeaders",
            comment="Tells the functions the viewer's host and address",
            code=cloudfront.FunctionCode.from_inline(VIEWER_HEADERS),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        page_access = cloudfront.S3OriginAccessControl(
            self, "PageAccess", origin_access_control_name=f"{place}-page"
        )
        api_access = cloudfront.FunctionUrlOriginAccessControl(
            self, "ApiAccess", origin_access_control_name=f"{place}-api"
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=Stack.of(self).stack_name,
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    site_bucket,
                    origin_access_control=page_access,
                    # With the right to list, S3 answers 404 and not 403 for a missing file.
                    origin_access_levels=[cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST],
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=headers,
                compress=True,
                function_associations=[
                    cloudfront.FunctionAssociation(
                        function=fallback,
                        event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
                    )
                ],
            ),
            additional_behaviors={
                "/chatkit*": self._api(chat, api_access, headers, viewer),
                "/actions*": self._api(actions, api_access, headers, viewer),
            },
            domain_names=[domain.name] if domain else None,
            certificate=domain.certificate if domain else None,
            # CloudFront's own certificate does not allow a choice.
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021
            if domain
            else None,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=_PRICE_CLASSES[price_class],
            web_acl_id=web_acl_arn,
        )
        Annotations.of(self.distribution).acknowledge_warning(
            "@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk",
            "The default root object is set, so nobody can list the bucket of public files.",
        )
        self.address = f"https://{domain.name if domain else self.distribution.domain_name}"

        for name, function in (("Chat", chat), ("Actions", actions)):
            self._allow_calls(name, function)

    def _api(
        self,
        function: UrlFunction,
        access: cloudfront.IOriginAccessControl,
        headers: cloudfront.IResponseHeadersPolicy,
        viewer: cloudfront.IFunction,
    ) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=origins.FunctionUrlOrigin(
                function.url,
                origin_access_control_id=access.origin_access_control_id,
                read_timeout=Duration.seconds(READ_TIMEOUT),
                keepalive_timeout=Duration.seconds(READ_TIMEOUT),
            ),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            # The function's URL needs its own name as Host. All other headers are forwarded, also
            # those that the function at the edge writes.
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=headers,
            function_associations=[
                cloudfront.FunctionAssociation(
                    function=viewer, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                )
            ],
            # Compression would delay a stream until a block is full.
            compress=False,
        )

    def _allow_calls(self, name: str, function: UrlFunction) -> None:
        """Let only this distribution call the function's alias through its URL.

        Both actions are needed: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html.
        The permissions are on the alias, because AWS checks the URL of an alias against the
        alias's policy and not against the function's.
        """
        for action in ("InvokeFunctionUrl", "InvokeFunction"):
            lambda_.CfnPermission(
                self,
                f"{name}{action}",
                action=f"lambda:{action}",
                function_name=function.alias.function_arn,
                principal="cloudfront.amazonaws.com",
                source_arn=self.distribution.distribution_arn,
                invoked_via_function_url=True if action == "InvokeFunction" else None,
            )
