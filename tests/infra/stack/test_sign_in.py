"""`signIn=cognito`: the user pool, and the page's client, which one call opens after all else."""

import json
import re

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from functions.settings import ROOT
from infra.stack.sign_in import SIGNED_IN, SIGNED_OUT, STANDARD
from tests.infra.stack.iam import Role, enforced, resolve, statements_of
from tests.infra.stack.variants import VARIANTS, references
from tests.support.template import ACCOUNT

REGION = "eu-central-1"
DEV = "people sign in at Cognito"
PROD = "people's data, signed in at Cognito"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/s/3d1a2b40-1234-11ef-8a0b-0a1b2c3d4e5f"
POOL, CLIENT, PREFIX, EDGE = (
    f"{REGION}_AbC",
    "the-client",
    "chatkit-3d1a2b401234",
    "d1.cloudfront.net",
)


@pytest.fixture(scope="module", params=[DEV, PROD])
def template(request, synth):
    return main_stack(synth, VARIANTS[request.param])


@pytest.fixture(scope="module")
def dev(synth):
    return main_stack(synth, VARIANTS[DEV])


@pytest.fixture(scope="module")
def prod(synth):
    return main_stack(synth, VARIANTS[PROD])


def main_stack(synth, typed):
    return synth(**typed)[f"chatkit-{typed.get('stage', 'dev')}"]


class Names(dict):
    """What the references of a template stand for; what is not known is its own name."""

    def __missing__(self, name):
        return name


def names(template, **more):
    (pool,) = template.of_type("AWS::Cognito::UserPool")
    (client,) = template.of_type("AWS::Cognito::UserPoolClient")
    (domain,) = template.of_type("AWS::Cognito::UserPoolDomain")
    (edge,) = template.of_type("AWS::CloudFront::Distribution")
    known = {pool: POOL, client: CLIENT, domain: PREFIX, f"{edge}.DomainName": EDGE, **more}
    known[f"{pool}.Arn"] = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{known[pool]}"
    known |= {"AWS::Region": REGION, "AWS::StackId": STACK_ID, "AWS::Partition": "aws"}
    return Names(known)


def the_call(template, known=None):
    """The call of Cognito's API that opens the client, as the CDK's function makes it."""
    opening = resolve(template.only("Custom::OpenUserPoolClient"), known or names(template))
    assert opening["Create"] == opening["Update"]
    assert "Delete" not in opening
    return json.loads(opening["Update"])


def test_people_sign_in_by_their_address_which_counts_when_it_is_verified(template):
    pool = template.only("AWS::Cognito::UserPool")
    assert pool["UsernameAttributes"] == pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["UserAttributeUpdateSettings"] == {
        "AttributesRequireVerificationBeforeUpdate": ["email"]
    }
    assert pool["AccountRecoverySetting"]["RecoveryMechanisms"] == [
        {"Name": "verified_email", "Priority": 1}
    ]
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]


def test_accounts_are_made_by_an_administrator_and_a_second_factor_is_optional_by_default(
    dev, prod
):
    def of(template):
        pool = template.only("AWS::Cognito::UserPool")
        return pool["AdminCreateUserConfig"], pool["MfaConfiguration"]

    assert of(dev) == ({"AllowAdminCreateUserOnly": True}, "OPTIONAL")
    assert of(prod) == ({"AllowAdminCreateUserOnly": False}, "ON")


def test_people_are_kept_where_their_data_is_kept(dev, prod):
    def of(template):
        ((_, pool),) = template.of_type("AWS::Cognito::UserPool").items()
        protected = pool["Properties"]["DeletionProtection"]
        return protected, pool["DeletionPolicy"], pool["UpdateReplacePolicy"]

    assert of(dev) == ("INACTIVE", "Delete", "Delete")
    assert of(prod) == ("ACTIVE", "Retain", "Retain")


def test_the_sign_in_pages_are_cognitos_newer_ones_with_a_style_of_the_clients(template):
    """Without a style, they only say that they are unavailable."""
    assert template.only("AWS::Cognito::UserPool")["UserPoolTier"] == "ESSENTIALS"
    assert template.only("AWS::Cognito::UserPoolDomain")["ManagedLoginVersion"] == 2
    style = resolve(template.only("AWS::Cognito::ManagedLoginBranding"), names(template))
    assert style == {"UserPoolId": POOL, "ClientId": CLIENT, "UseCognitoProvidedValues": True}


def test_the_address_of_the_sign_in_pages_comes_from_the_stacks_id(template):
    """It is unique in a region, whoever deploys there, and has no word that Cognito refuses."""
    domain = template.only("AWS::Cognito::UserPoolDomain")
    assert resolve(domain["Domain"], names(template)) == PREFIX
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", PREFIX)
    assert set(references(domain["Domain"])) == {"AWS::StackId"}


def test_the_client_in_the_template_never_changes_so_that_nothing_resets_it(dev, prod):
    """CloudFormation sets everything anew when one property of it changes."""
    clients = [t.only("AWS::Cognito::UserPoolClient") for t in (dev, prod)]
    assert clients[0] == clients[1]
    assert set(clients[0]) == {"UserPoolId", "ClientName", "GenerateSecret"}
    assert clients[0]["GenerateSecret"] is False


def test_nobody_can_sign_in_before_the_page_is_there(template):
    """The opening waits for the distribution, and the style for the opening."""
    (style,) = template.of_type("AWS::Cognito::ManagedLoginBranding").values()
    (domain,) = template.of_type("AWS::Cognito::UserPoolDomain")
    (opening,) = template.of_type("Custom::OpenUserPoolClient")
    assert {domain, opening} <= set(style["DependsOn"])


def test_the_functions_wait_for_the_client_and_the_distribution_for_the_functions(dev):
    """So the client cannot wait for the distribution, whose address it needs."""
    (client,) = dev.of_type("AWS::Cognito::UserPoolClient")
    function = dev.only("AWS::Lambda::Function", "ChatFunction")
    assert client in references(function["Environment"])
    (opening,) = dev.of_type("Custom::OpenUserPoolClient").values()
    (edge,) = dev.of_type("AWS::CloudFront::Distribution")
    assert edge in references(opening["Properties"])


def test_the_call_names_every_property_because_cognito_resets_what_it_leaves_out(template):
    client = boto3.client("cognito-idp", region_name=REGION)
    operation = client.meta.service_model.operation_model("UpdateUserPoolClient")
    by_default = {
        "AnalyticsConfiguration",  # none
        "AuthSessionValidity",  # three minutes for each step
        "DefaultRedirectURI",  # none: the page names its own
        "EnablePropagateAdditionalUserContextData",  # for clients with a secret
    }
    call = the_call(template)
    assert set(call["parameters"]) == set(operation.input_shape.members) - by_default
    assert (call["service"], call["action"]) == (
        "@aws-sdk/client-cognito-identity-provider",
        "UpdateUserPoolClient",
    )
    assert call["logApiResponseData"] is False
    assert call["physicalResourceId"] == {"id": CLIENT}


def test_the_page_signs_in_with_a_code_and_without_a_secret(template):
    call = the_call(template)["parameters"]
    assert call["AllowedOAuthFlows"] == ["code"]
    assert call["AllowedOAuthFlowsUserPoolClient"] is True
    assert call["AllowedOAuthScopes"] == ["openid", "profile", "email"]
    assert call["PreventUserExistenceErrors"] == "ENABLED"
    # Rotation excludes REFRESH_TOKEN_AUTH, which is among the default flows.
    assert call["RefreshTokenRotation"]["Feature"] == "ENABLED"
    assert call["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH"]
    assert call["EnableTokenRevocation"] is True


def test_cognito_sends_people_back_to_the_page_and_to_allowed_origins_only(dev, prod):
    def of(template):
        call = the_call(template)["parameters"]
        return call["CallbackURLs"], call["LogoutURLs"]

    assert of(dev) == ([f"https://{EDGE}/signed-in"], [f"https://{EDGE}/"])
    origins = ["https://chat.example.com", "https://www.example.com", "http://localhost:8000"]
    assert of(prod) == (
        [f"{origin}/signed-in" for origin in origins],
        [f"{origin}/" for origin in origins],
    )


def test_the_page_comes_back_to_the_addresses_that_cognito_knows():
    text = (ROOT / "frontend" / "src" / "sign-in" / "paths.ts").read_text()
    paths = dict(re.findall(r'export const (\w+) = "([^"]*)"', text))
    assert (paths["SIGNED_IN"], paths["SIGNED_OUT"]) == (SIGNED_IN, SIGNED_OUT)


def test_providers_that_were_added_by_hand_stay_when_they_are_named(dev, prod):
    assert the_call(dev)["parameters"]["SupportedIdentityProviders"] == ["COGNITO"]
    assert the_call(prod)["parameters"]["SupportedIdentityProviders"] == ["COGNITO", "Google"]


def test_a_tenant_is_an_attribute_that_people_can_read_and_not_write(dev, prod):
    schema = {each["Name"]: each for each in prod.only("AWS::Cognito::UserPool")["Schema"]}
    assert set(schema) == {"email", "tenant"}
    call = the_call(prod)["parameters"]
    assert "custom:tenant" in call["ReadAttributes"]
    for template in (dev, prod):
        assert the_call(template)["parameters"]["WriteAttributes"] == ["email", "name"]
    assert the_call(dev)["parameters"]["ReadAttributes"] == list(STANDARD)


def environment_of(template, function):
    resource = template.only("AWS::Lambda::Function", f"{function}Function")
    return resolve(resource["Environment"]["Variables"], names(template))


@pytest.mark.parametrize("function", ["Chat", "Actions"])
def test_the_functions_ask_for_id_tokens_of_the_pool_for_the_page(template, function):
    told = environment_of(template, function)
    optional = "true" if "CHATKIT_OIDC_TENANT_CLAIM" in told else "false"
    assert {name: told[name] for name in told if "AUTH" in name or "OIDC" in name} == {
        "CHATKIT_AUTH": "oidc",
        "CHATKIT_OIDC_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}",
        "CHATKIT_OIDC_CLIENT_ID": CLIENT,
        "CHATKIT_OIDC_TOKEN": "id",
        "CHATKIT_OIDC_OPTIONAL": optional,
        "CHATKIT_OIDC_SCOPES": "openid profile email",
        "CHATKIT_OIDC_USER_CLAIM": "sub",
        "CHATKIT_OIDC_NAME_CLAIM": "name",
        "CHATKIT_OIDC_ROLES_CLAIM": "cognito:groups",
        **({"CHATKIT_OIDC_TENANT_CLAIM": "custom:tenant"} if optional == "true" else {}),
    }


def test_the_functions_start_with_what_they_are_told(dev):
    from functions.web.identity.oidc import OidcIdentity
    from infra.stack.environment import settings_from

    settings = settings_from(environment_of(dev, "Chat"))
    assert settings.oidc_issuer == f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
    OidcIdentity(settings, None)


def test_the_page_is_told_the_same(bare):
    """Its file is an asset, whose references the CDK puts in at the deploy."""
    from infra.stack.context import read_settings
    from infra.stack.environment import settings_from
    from infra.stack.page_config import page_config
    from infra.stack.sign_in import SignIn

    made = {}

    def make(stack):
        typed = read_settings({"signIn": "cognito"})
        pool = SignIn(stack, "S", keep=False, sign_up=False, mfa_required=False, claims=[])
        told = {
            "CHATKIT_AUTH": typed.auth,
            "CHATKIT_OIDC_TOKEN": typed.oidc_token,
            **pool.variables,
        }
        made.update(stack.resolve(page_config(settings_from(told))))

    bare(make)
    assert made["auth"] == "oidc"
    sign_in = made["signIn"]
    (pool,) = set(references(sign_in["issuer"])) - {"AWS::Region"}
    assert pool.startswith("SPool")
    assert sign_in["clientId"]["Ref"].startswith("SClient")
    assert sign_in["token"] == "id"
    assert sign_in["optional"] is False


def test_the_pages_file_gets_issuer_and_client_at_the_deploy(template):
    (page,) = (
        each["Properties"]
        for name, each in template.of_type("Custom::CDKBucketDeployment").items()
        if name.startswith("PageConfig")
    )
    (markers,) = resolve(page["SourceMarkers"], names(template))
    assert set(map(json.loads, markers.values())) == {
        f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}",
        CLIENT,
    }


def test_the_page_may_call_the_issuer_and_the_sign_in_pages_address(template):
    headers = template.only("AWS::CloudFront::ResponseHeadersPolicy")
    config = headers["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    text = resolve(config["ContentSecurityPolicy"]["ContentSecurityPolicy"], names(template))
    directives = dict(part.split(" ", 1) for part in text.split("; "))
    assert directives["connect-src"].split()[-2:] == [
        f"https://cognito-idp.{REGION}.amazonaws.com",
        f"https://{PREFIX}.auth.{REGION}.amazoncognito.com",
    ]


def test_the_outputs_name_the_pages_the_pool_and_how_to_make_the_first_account(dev, prod):
    outputs = {
        name: resolve(output["Value"], names(dev)) for name, output in dev.body["Outputs"].items()
    }
    assert outputs["SignInUrl"] == f"https://{PREFIX}.auth.{REGION}.amazoncognito.com"
    assert outputs["UserPoolId"] == POOL
    assert outputs["FirstPerson"].startswith(
        f"aws cognito-idp admin-create-user --region {REGION} --user-pool-id {POOL} "
    )
    assert "FirstPerson" not in prod.body["Outputs"]  # whoever comes makes their own


def of_the_cdk(template):
    """The role of the CDK's function that makes the call."""
    (role,) = (name for name in template.of_type("AWS::IAM::Role") if name.startswith("AWS679"))
    return role


def test_our_functions_need_no_right_for_it(synth, dev):
    """The issuer's keys are public, so their roles are those that the other tests prove."""
    anonymous = synth()["chatkit-dev"]
    for function in ("Chat", "Actions"):
        (role,) = (n for n in dev.of_type("AWS::IAM::Role") if n.startswith(f"{function}Role"))
        assert statements_of(dev, role) == statements_of(anonymous, role)
        assert "cognito" not in json.dumps(statements_of(dev, role))


@pytest.fixture
def account(template, monkeypatch):
    """moto with the pool and the client as the template has them, and what they are called."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_REGION", REGION)
    yield Account(template)
    server.stop()


class Account:
    def __init__(self, template):
        (pool,) = template.of_type("AWS::Cognito::UserPool")
        (client,) = template.of_type("AWS::Cognito::UserPoolClient")
        self.cognito = boto3.session.Session().client("cognito-idp", region_name=REGION)
        properties = dict(template.only("AWS::Cognito::UserPool"))
        factors = properties.pop("EnabledMfas")  # a call of its own in the API
        made = self.cognito.create_user_pool(
            PoolName="pool", **resolve(properties, names(template))
        )["UserPool"]
        assert factors == ["SOFTWARE_TOKEN_MFA"]
        known = names(template, **{pool: made["Id"]})
        wanted = resolve(template.only("AWS::Cognito::UserPoolClient"), known)
        self.client = self.cognito.create_user_pool_client(**wanted)["UserPoolClient"]
        self.names = names(template, **{pool: made["Id"], client: self.client["ClientId"]})
        wanted = resolve(template.only("AWS::Cognito::UserPoolDomain"), self.names)
        self.cognito.create_user_pool_domain(**wanted)
        self.template = template

    def described(self):
        ids = {"UserPoolId": self.client["UserPoolId"], "ClientId": self.client["ClientId"]}
        return self.cognito.describe_user_pool_client(**ids)["UserPoolClient"]

    def role(self, statements=None):
        if statements is None:
            statements = statements_of(self.template, of_the_cdk(self.template))
        return Role(resolve(statements, self.names), ACCOUNT)

    def open(self, role):
        call = the_call(self.template, self.names)
        with enforced(role, REGION):
            boto3.client("cognito-idp", region_name=REGION).update_user_pool_client(
                **call["parameters"]
            )


def test_cognitos_api_takes_pool_client_and_call_and_the_role_is_enough_for_it(account):
    before = account.described()
    assert "ClientSecret" not in before
    assert not before["AllowedOAuthFlowsUserPoolClient"]
    role = account.role()
    account.open(role)
    assert role.denied == []
    after = account.described()
    call = the_call(account.template, account.names)["parameters"]
    assert {name: after[name] for name in call} == call


def test_without_its_one_statement_the_call_is_denied_and_so_is_another_pools(account):
    (statement,) = statements_of(account.template, of_the_cdk(account.template))
    assert statement["Action"] == "cognito-idp:UpdateUserPoolClient"
    with pytest.raises(ClientError, match="AccessDenied"):
        account.open(account.role([]))
    assert not account.described()["AllowedOAuthFlowsUserPoolClient"]
    role = account.role()
    account.names[next(iter(account.template.of_type("AWS::Cognito::UserPool")))] += "-2"
    with pytest.raises(ClientError, match="AccessDenied"):
        account.open(role)


def test_the_cdks_role_has_no_more_than_logs_beside_that(template):
    role = template.resources[of_the_cdk(template)]["Properties"]
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert resolve(role["ManagedPolicyArns"], names(template)) == [basic]
    assert "Policies" not in role
    assert len(statements_of(template, of_the_cdk(template))) == 1
