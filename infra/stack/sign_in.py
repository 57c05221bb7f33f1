"""`signIn=cognito`: a user pool with sign-in pages, and the page's client in it.

The functions need the client's id, and the client needs the page's address, which comes from the
distribution, which needs the functions. CloudFormation refuses such a cycle. So the client is made
without addresses, when nobody can sign in with it yet, and `SignIn.open` sets everything else with
one call of Cognito's API, after the distribution. The client in the template never changes:
CloudFormation would reset what the call has set (docs/architecture.md).
"""

from collections.abc import Iterable, Sequence

from aws_cdk import Aws, Duration, Fn, RemovalPolicy, Stack, custom_resources
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.stack.function import log_group

CLIENT_NAME = "page"

SIGNED_IN = "/signed-in"
SIGNED_OUT = "/"
"""Where Cognito sends people back: `frontend/src/sign-in/paths.ts`."""

CUSTOM = "custom:"
"""How the claims begin that are attributes of one's own."""

STANDARD = (
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
)
"""The attributes that every pool has."""

WRITABLE = ("email", "name")
"""What people may set of themselves. Whoever may write `custom:tenant` chooses their tenant."""

TOKEN_MINUTES = 60
"""Life of ID and access tokens. A removed account works until its last token expires."""

REFRESH_DAYS = 30
"""After so many days people sign in again. Each renewal replaces the refresh token, not its end."""

GRACE_SECONDS = 60
"""How long a replaced refresh token still works, for tabs that renew at once. It is the longest."""


class SignIn(Construct):
    """The pool with its people, the address of its sign-in pages, and the page's client."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        keep: bool,
        sign_up: bool,
        mfa_required: bool,
        claims: Iterable[str],
    ) -> None:
        """`claims` are those that the functions read."""
        super().__init__(scope, construct_id)
        self._own = sorted({claim for claim in claims if claim.startswith(CUSTOM)})
        self.pool = cognito.UserPool(
            self,
            "Pool",
            feature_plan=cognito.FeaturePlan.ESSENTIALS,  # Lite has only the old pages
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            self_sign_up_enabled=sign_up,
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True)
            ),
            custom_attributes={
                name.removeprefix(CUSTOM): cognito.StringAttribute(mutable=True, max_len=256)
                for name in self._own
            },
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            # A new address counts when it is verified, and the old one until then.
            keep_original=cognito.KeepOriginalAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.REQUIRED if mfa_required else cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
                temp_password_validity=Duration.days(7),
            ),
            deletion_protection=keep,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )
        self._domain = cognito.CfnUserPoolDomain(
            self,
            "Domain",
            domain=_prefix(),
            user_pool_id=self.pool.user_pool_id,
            managed_login_version=2,
        )
        self._client = cognito.CfnUserPoolClient(
            self,
            "Client",
            user_pool_id=self.pool.user_pool_id,
            client_name=CLIENT_NAME,
            generate_secret=False,
        )
        # Without a style, the pages only say that they are unavailable.
        self._style = cognito.CfnManagedLoginBranding(
            self,
            "Style",
            user_pool_id=self.pool.user_pool_id,
            client_id=self.client_id,
            use_cognito_provided_values=True,
        )
        region = Stack.of(self).region
        self.issuer = f"https://cognito-idp.{region}.amazonaws.com/{self.pool.user_pool_id}"
        self.address = f"https://{self._domain.ref}.auth.{region}.amazoncognito.com"
        self.origins = [f"https://cognito-idp.{region}.amazonaws.com", self.address]
        """Where the page gets the issuer's metadata, and its tokens."""

    @property
    def client_id(self) -> str:
        return self._client.ref

    @property
    def variables(self) -> dict[str, str]:
        """What the functions and the page know only from the pool."""
        return {
            "CHATKIT_OIDC_ISSUER": self.issuer,
            "CHATKIT_OIDC_CLIENT_ID": self.client_id,
        }

    def open(
        self,
        origins: Sequence[str],
        *,
        scopes: Sequence[str],
        providers: Sequence[str],
        log_retention_days: int,
    ) -> None:
        """Let people sign in from the pages of these origins.

        The call has to name every property: what it leaves out is reset to Cognito's default.
        https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPoolClient.html
        """
        call = custom_resources.AwsSdkCall(
            service="@aws-sdk/client-cognito-identity-provider",
            action="UpdateUserPoolClient",
            parameters={
                "UserPoolId": self.pool.user_pool_id,
                "ClientId": self.client_id,
                "ClientName": CLIENT_NAME,
                "SupportedIdentityProviders": ["COGNITO", *providers],
                "CallbackURLs": [origin + SIGNED_IN for origin in origins],
                "LogoutURLs": [origin + SIGNED_OUT for origin in origins],
                "AllowedOAuthFlows": ["code"],
                "AllowedOAuthFlowsUserPoolClient": True,
                "AllowedOAuthScopes": list(scopes),
                # Of the flows without the pages, this one does not send passwords to Cognito. The
                # default ones include REFRESH_TOKEN_AUTH, which excludes rotation:
                # https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
                "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
                "ReadAttributes": [*STANDARD, *self._own],
                "WriteAttributes": list(WRITABLE),
                "IdTokenValidity": TOKEN_MINUTES,
                "AccessTokenValidity": TOKEN_MINUTES,
                "RefreshTokenValidity": REFRESH_DAYS,
                "TokenValidityUnits": {
                    "IdToken": "minutes",
                    "AccessToken": "minutes",
                    "RefreshToken": "days",
                },
                "RefreshTokenRotation": {
                    "Feature": "ENABLED",
                    "RetryGracePeriodSeconds": GRACE_SECONDS,
                },
                "EnableTokenRevocation": True,
                # A wrong password and an unknown address give the same answer.
                "PreventUserExistenceErrors": "ENABLED",
            },
            physical_resource_id=custom_resources.PhysicalResourceId.of(self.client_id),
            output_paths=["UserPoolClient.ClientId"],
            logging=custom_resources.Logging.with_data_hidden(),
        )
        opened = custom_resources.AwsCustomResource(
            self,
            "Open",
            resource_type="Custom::OpenUserPoolClient",
            on_create=call,
            on_update=call,
            policy=custom_resources.AwsCustomResourcePolicy.from_statements(
                [
                    iam.PolicyStatement(
                        sid="OpenClient",
                        actions=["cognito-idp:UpdateUserPoolClient"],
                        resources=[self.pool.user_pool_arn],
                    )
                ]
            ),
            log_group=log_group(self, "Logs", retention_days=log_retention_days),
            install_latest_aws_sdk=False,
        )
        self._style.node.add_dependency(self._domain, opened)


def _prefix() -> str:
    """The first label of the sign-in pages' address.

    It is unique among all accounts of a region, and Cognito refuses some words in it. So it has
    nothing of the stage's name, but twelve digits of the id that AWS has given the stack.
    """
    parts = Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID)))
    return Fn.join("", ["chatkit-", Fn.select(0, parts), Fn.select(1, parts)])
