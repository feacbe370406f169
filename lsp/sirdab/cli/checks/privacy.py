"""The policy in force: where code may go, what is kept out of prompts, and what is written down."""

from contextlib import suppress
from pathlib import Path

from sirdab.cli.checks.report import Check, Findings, failed, ok, warning
from sirdab.config.schema import Settings
from sirdab.policy.limits import AUDIT_FILES

_CHUNK = 1 << 20


def look(settings: Settings) -> Findings:
    """Return what the settings say about the user's code; never raises."""
    from sirdab.policy.audit import default_path

    privacy, endpoint = settings.privacy, settings.endpoint
    trail = default_path()
    records = count_records(trail)
    locality, remote = _locality(settings)
    checks = [locality]
    kept_out = (
        "files that often hold secrets (.env, keys, certificates, databases, config.json, "
        "settings.json and others: see SECURITY.md)"
    )
    if privacy.exclude:
        kept_out += f", and {len(privacy.exclude)} pattern(s) of yours,"
    redaction = "secrets are replaced before text enters a prompt"
    if privacy.redact_secrets:
        checks.append(ok("Privacy", f"{kept_out} are never read; {redaction}"))
    else:
        checks.append(
            warning(
                "Privacy",
                f"{kept_out} are never read; secrets in other files are sent to the model: set "
                "privacy.redactSecrets to true to replace them.",
            )
        )
    if privacy.audit:
        checks.append(ok("Audit trail", f"{records:,} requests recorded in {trail}, without text"))
    else:
        checks.append(
            ok("Audit trail", f"off (privacy.audit is false); {records:,} older records in {trail}")
        )
    facts = {
        "allow_remote": endpoint.allow_remote,
        "remote_hosts": remote,
        "exclude": list(privacy.exclude),
        "redact_secrets": privacy.redact_secrets,
        "audit": privacy.audit,
        "audit_path": str(trail),
        "audit_records": records,
    }
    return Findings(tuple(checks), {"policy": facts})


def count_records(trail: Path) -> int:
    """Return how many requests the audit trail holds, its older files included."""
    total = 0
    for path in (trail, *(Path(f"{trail}.{number}") for number in range(1, AUDIT_FILES))):
        with suppress(OSError), path.open("rb") as file:
            while data := file.read(_CHUNK):
                total += data.count(b"\n")
    return total


def _locality(settings: Settings) -> tuple[Check, list[str]]:
    from sirdab.policy.loopback import PolicyError, check_endpoint_url

    endpoint = settings.endpoint
    remote: list[str] = []
    plain: list[str] = []
    refused: list[str] = []
    for url in endpoint.urls:
        if url == "auto":
            continue
        try:
            address = check_endpoint_url(url, allow_remote=endpoint.allow_remote)
        except PolicyError as error:
            refused.append(error.message)
            continue
        if not address.is_loopback:
            remote.append(address.host)
            if address.scheme != "https":
                plain.append(address.host)
    if refused:
        # Whether another one of the list does the work is said by the row on the endpoint.
        row = failed if len(refused) == len(endpoint.urls) else warning
        others = f" Code is also sent over the network to {', '.join(remote)}." if remote else ""
        return row("Locality", f"{' '.join(refused)}{others}"), remote
    if remote:
        how = (
            f"not encrypted on its way to {', '.join(plain)}"
            if plain
            else "over an encrypted connection"
        )
        return (
            warning(
                "Locality",
                f"your code is sent over the network to {', '.join(remote)}, {how}; "
                "set endpoint.allowRemote to false to forbid that.",
            ),
            remote,
        )
    if endpoint.allow_remote:
        return (
            warning(
                "Locality",
                "endpoint.allowRemote is set although every server is on this machine; "
                "set it to false, so that no later address can send your code elsewhere.",
            ),
            remote,
        )
    return ok("Locality", "code is sent to servers on this machine only"), remote
