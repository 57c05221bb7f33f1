"""What `make deploy` says at its end to whoever lets anybody talk to a model that costs money."""

from infra.stack.settings import StackSettings


def what_protects(settings: StackSettings) -> str | None:
    """The settings that a public stage lacks, in one paragraph; None for any other stage."""
    anybody = settings.auth == "anonymous" or settings.oidc_optional
    if not anybody or settings.provider == "demo" or settings.waf:
        return None
    said = (
        "Anybody may chat here, and each answer costs you money. -c waf=true puts AWS WAF in "
        "front, which blocks addresses that send too much and known attacks; AWS bills about $7 a "
        "month for it, and $0.60 for a million requests."
    )
    if settings.turnstile_site_key is None:
        said += " -c turnstileSiteKey=… has Cloudflare's Turnstile check each new visitor."
    if settings.limit_table.stage.dollars_per_day is None:
        said += " -c dailyBudget=… stops answers when the day's have cost so many dollars."
    return said
