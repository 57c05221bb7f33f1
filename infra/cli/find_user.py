"""`make find-user`: under which id a person's data is stored.

The data names nobody: its owner is a random id, or a digest of the issuer and the person's id
there (`functions.web.identity.person`). So an address or a name is looked up where people sign in,
as far as that can be asked: in the stage's own user pool.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from functions.settings import Settings
from functions.web.identity.person import owner_id
from infra.cli.account import Account
from infra.cli.deployment import Deployment, stack_name
from infra.cli.people import Survey, refuse_token, surveyed
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

SEARCHED: Final = ("email", "name", "sub", "username")
"""Attributes by which Cognito finds people, each with a request of its own:
https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-manage-user-accounts.html
"""
MOST: Final = 20
"""People who are shown."""


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    deployment = Deployment.of(settings, account, "make find-user STAGE=prod …")
    variables = (
        variables_of_make_dev(Settings())
        if deployment.stage is None
        else variables_of_stage(deployment.client, stack_name(deployment.stage))
    )
    issuer = Issuer.of(variables, deployment.outputs.get("UserPoolId"))
    find(deployment, typed.option("--query"), issuer, typed.option("--tenant"))


@dataclass(frozen=True)
class Issuer:
    """Where people sign in, as the deployment's functions know it."""

    url: str
    user_claim: str
    tenant_claim: str | None
    pool: str | None = None
    """The id of the stage's own user pool."""

    @classmethod
    def of(cls, variables: Mapping[str, str | None], pool: str | None = None) -> "Issuer | None":
        url = variables.get("CHATKIT_OIDC_ISSUER")
        if variables.get("CHATKIT_AUTH") != "oidc" or not url:
            return None
        return cls(
            url,
            variables.get("CHATKIT_OIDC_USER_CLAIM") or "sub",
            variables.get("CHATKIT_OIDC_TENANT_CLAIM") or None,
            pool,
        )


@dataclass(frozen=True)
class Found:
    """A person, and what they are called where they sign in."""

    user: str | None
    """Their id as `USER=` takes it."""
    called: str = ""


def variables_of_stage(client: Callable[[str], Any], stack: str) -> dict[str, str]:
    """The variables with which the stage's functions were deployed."""
    functions = client("lambda")
    pages = client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] != "AWS::Lambda::Function":
                continue
            found = functions.get_function_configuration(
                FunctionName=resource["PhysicalResourceId"]
            )
            variables: dict[str, str] = found.get("Environment", {}).get("Variables", {})
            if "CHATKIT_AUTH" in variables:
                return variables
    return {}


def find(
    deployment: Deployment, query: str | None, issuer: Issuer | None, tenant: str | None
) -> None:
    """Show the ids that `query` may mean, each with what is stored under it.

    `query` is an id, or for people who sign in their id, address or name at the issuer. Raises
    `CommandError` when nothing is found, and for a token.
    """
    query = (query or "").strip()
    if not query:
        raise CommandError('Say whom: make find-user QUERY=anon_…, or QUERY="ada@example.com"')
    refuse_token(query)
    found = list(_candidates(deployment, query, issuer, tenant))
    surveys = [
        (each, surveyed(deployment, each.user) if each.user else Survey()) for each in found[:MOST]
    ]
    shown = [(each, what) for each, what in surveys if each.called or what.rows or what.objects]
    if not shown:
        raise CommandError(_not_found(deployment, query, issuer, tenant))
    for each, what in shown:
        say(_line(each, what))
    if len(found) > MOST:
        say(f"There are more than {MOST}: search for more of the address or name.")


def _candidates(
    deployment: Deployment, query: str, issuer: Issuer | None, tenant: str | None
) -> Iterator[Found]:
    yield Found(query)
    if issuer is None:
        return
    if issuer.tenant_claim is None or tenant:
        of = tenant if issuer.tenant_claim else None
        yield Found(owner_id(issuer.url, query, of))
    if issuer.pool:
        seen: set[str] = set()
        for name in SEARCHED:
            for person in _people_of_pool(deployment, issuer.pool, name, query):
                if person["sub"] not in seen:
                    seen.add(person["sub"])
                    yield _of_pool(person, issuer)


def _people_of_pool(
    deployment: Deployment, pool: str, name: str, query: str
) -> Iterator[dict[str, str]]:
    """The attributes of the people whose attribute begins with `query`."""
    escaped = query.replace("\\", "\\\\").replace('"', '\\"')
    answer = deployment.client("cognito-idp").list_users(
        UserPoolId=pool, Filter=f'{name} ^= "{escaped}"', Limit=MOST + 1
    )
    for person in answer["Users"]:
        attributes = {each["Name"]: each["Value"] for each in person.get("Attributes", [])}
        yield {**attributes, "cognito:username": person["Username"]}


def _of_pool(person: dict[str, str], issuer: Issuer) -> Found:
    called = " ".join(filter(None, [person.get("name"), person.get("email")]))
    called = called or person["cognito:username"]
    user = person.get(issuer.user_claim)
    tenant = person.get(issuer.tenant_claim) if issuer.tenant_claim else None
    if not user or (issuer.tenant_claim and not tenant):
        return Found(None, f"{called} (the pool does not have what their id is made of)")
    return Found(owner_id(issuer.url, user, tenant), called)


def _line(found: Found, what: Survey) -> str:
    last = f", last activity {what.last[:16].replace('T', ' ')} UTC" if what.last else ""
    called = f"  {found.called}" if found.called else ""
    if found.user is None:
        return called.strip()
    return f"USER={found.user}  {what.conversations:,} conversations{last}{called}"


def _not_found(
    deployment: Deployment, query: str, issuer: Issuer | None, tenant: str | None
) -> str:
    said = f"{deployment.name} has nothing of {query}."
    if issuer is None:
        return (
            f"{said} Visitors are anonymous there, so no address or name is stored: ask for the id "
            "that the page shows under Your data."
        )
    if issuer.pool is None:
        said += (
            f" Addresses and names are not stored: look the person up at "
            f"{urlsplit(issuer.url).netloc}, and search for their {issuer.user_claim}"
        )
    else:
        said += f" Search for the beginning of an address, a name, or for their {issuer.user_claim}"
    if issuer.tenant_claim and not tenant:
        said += f", with TENANT= (their {issuer.tenant_claim})"
    return f"{said}. Or ask for the id that the page shows under Your data."


def variables_of_make_dev(settings: Settings) -> dict[str, str | None]:
    """The same variables of the `make dev` whose `settings` these are."""
    return {
        "CHATKIT_AUTH": settings.auth,
        "CHATKIT_OIDC_ISSUER": settings.oidc_issuer,
        "CHATKIT_OIDC_USER_CLAIM": settings.oidc_user_claim,
        "CHATKIT_OIDC_TENANT_CLAIM": settings.oidc_tenant_claim,
    }
