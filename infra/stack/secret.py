"""The secrets, made by the stack or named by the settings. The functions read them at run time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

COOKIE_KEY_LENGTH = 64


@dataclass(frozen=True)
class SecretReference:
    """`id` goes into the request for the value, `arn` into the role's policy."""

    id: str
    arn: str


class Secrets(Construct):
    """The key that signs cookies, the keys of those who answer, transcribe and embed,
    the secret key of Turnstile's widget, and the secrets that MCP servers name.

    `models` has the keys by provider: one for each of `key_providers`. `model_secret` is an
    existing one for `provider`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cookie_secret: str | None,
        model_secret: str | None,
        transcription_secret: str | None,
        embedding_secret: str | None,
        mcp_secrets: Iterable[str],
        collector_secret: str | None = None,
        provider: str,
        key_providers: Sequence[str],
        needs_turnstile_key: bool,
        key: kms.IKey | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        if cookie_secret:
            self.cookie = self._existing(cookie_secret)
        else:
            made = secretsmanager.Secret(
                self,
                "Cookie",
                description="Signs visitors' cookies. `make secret KEY=cookie` changes it.",
                generate_secret_string=secretsmanager.SecretStringGenerator(
                    password_length=COOKIE_KEY_LENGTH, exclude_punctuation=True
                ),
                encryption_key=key,
                removal_policy=removal_policy,
            )
            self.cookie = SecretReference(made.secret_arn, made.secret_arn)

        self.models: dict[str, SecretReference] = {}
        for name in key_providers:
            if name == provider and model_secret:
                self.models[name] = self._existing(model_secret)
            elif name == provider:
                about = "Key of the model's provider. `make secret` sets it."
                self.models[name] = self._empty("Model", about, key, removal_policy)
            else:
                about = f"Key of {name}. `make secret KEY={name}` sets it."
                construct_id = f"Model{name.title()}"
                self.models[name] = self._empty(construct_id, about, key, removal_policy)

        self.transcription = self._existing(transcription_secret) if transcription_secret else None

        self.embedding = self._existing(embedding_secret) if embedding_secret else None

        self.collector = self._existing(collector_secret) if collector_secret else None

        self.mcp = [self._existing(name) for name in sorted(set(mcp_secrets))]

        self.turnstile: SecretReference | None = None
        if needs_turnstile_key:
            self.turnstile = self._empty(
                "Turnstile",
                "Secret key of Turnstile's widget. `make secret KEY=turnstile` sets it.",
                key,
                removal_policy,
            )

    def _empty(
        self,
        construct_id: str,
        description: str,
        key: kms.IKey | None,
        removal_policy: RemovalPolicy,
    ) -> SecretReference:
        """A secret without a value.

        The L2 construct would make a random value, which the functions would send as the key.
        """
        made = secretsmanager.CfnSecret(
            self,
            construct_id,
            description=description,
            kms_key_id=key.key_arn if key else None,
        )
        made.apply_removal_policy(removal_policy)
        return SecretReference(made.ref, made.ref)

    def _existing(self, name: str) -> SecretReference:
        if name.startswith("arn:"):
            return SecretReference(name, name)
        # Secrets Manager adds a hyphen and six random characters to each name.
        arn = Stack.of(self).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{name}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return SecretReference(name, arn)
