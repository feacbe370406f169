"""The kinds of secrets that a line can hold: a table.

The source of each form of a token is its issuer's documentation. The list follows the common ground
of gitleaks' and detect-secrets' published rules, and the patterns here are our own.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from sirdab.policy.secret_values import (
    accepts_assigned,
    accepts_bare,
    accepts_generated,
    accepts_option,
    accepts_url,
    accepts_varied,
)


class Detector(NamedTuple):
    """One kind of secret.

    Attributes:
        kind: Its name.
        needles: Lower-case strings of which one occurs in every line that has such a secret.
        pattern: Its form; the group `value`, or else the whole match, is the secret.
        accepts: Whether a match is a real secret.
        is_form: Whether it is a token of a recognisable form, which has a run of at least 20
            letters, digits and signs out of "_-+/".
    """

    kind: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[re.Match[str]], bool]
    is_form: bool = False


_CHOSEN_NAMES = r"pass(?:word|wd|phrase)|pwd"
_GENERATED_NAMES = (
    r"token(?!iz)|secret|credentials?|api[_-]?key|(?:access|auth|private|encryption|signing|"
    r"account|master|service|shared|storage)[_-]?key"
)
_NAME_NEEDLES = ("passw", "passphrase", "pwd", "token", "secret", "credential")
KEY_OF = re.compile(
    r"(?:api|access|auth|private|encryption|signing|account|master|service|shared|storage)[_-]?\Z"
)
_ASSIGNED = re.compile(
    rf"(?P<name>(?P<password>{_CHOSEN_NAMES})|{_GENERATED_NAMES})"
    r"(?P<rest>[\w-]{0,40})"
    r"""(?:\\?["'`]?\]?)"""
    # A type between the name and the value, as in Rust, Kotlin and TypeScript.
    r"""(?:\s{0,8}:\s{0,4}[&\w'<>\[\]| ?]{1,30}?(?=\s{0,4}=))?"""
    r"""\s{0,20}(?:===?|!==?|=>|:=|\?\?=|\|\|=|[:=])\s{0,20}(?:await\s+)?[bBrRuUfFL&]{0,2}"""
    r"""(?P<slash>\\?)(?P<quote>["'`])"""
    r"""(?P<value>(?:(?!(?P=slash)(?P=quote))(?:[^\\\s]|\\[^\s])){4,256})(?P=slash)(?P=quote)""",
    re.IGNORECASE,
)
_SHELL = re.compile(
    rf"^\s{{0,40}}(?:(?:export|ENV|ARG|set|-)\s+)?[\w.-]{{0,40}}?"
    rf"(?P<name>(?P<password>{_CHOSEN_NAMES})|{_GENERATED_NAMES})(?P<rest>[\w.-]{{0,40}})"
    r"""(?:=|:\s{1,8}|\s=\s)(?P<value>[^\s"'`(){}\[\]<>,;]{6,256})\s*(?:#.*)?$""",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"--[\w-]{{0,20}}?(?P<name>(?P<password>{_CHOSEN_NAMES})|{_GENERATED_NAMES})(?P<rest>[\w-]{{0,20}})"
    r"""[=\s]\s{0,8}["']?(?P<value>[^\s"'`(){}\[\]<>,;]{6,256})""",
    re.IGNORECASE,
)


def _known(kind: str, needle: str | tuple[str, ...], pattern: str) -> Detector:
    """A token whose form is known."""
    needles = (needle,) if isinstance(needle, str) else needle
    return Detector(kind, needles, re.compile(pattern), accepts_varied, is_form=True)


def _marked(kind: str, needle: str | tuple[str, ...], pattern: str) -> Detector:
    """A value that stands behind something that says what it is."""
    return _known(kind, needle, pattern)._replace(is_form=False)


DETECTORS: tuple[Detector, ...] = (
    _known("aws-key", ("akia", "asia", "abia", "acca"),
           r"(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _known("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
           r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}"),
    _known("github-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    _known("gitlab-token", "gl",
           r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-[A-Za-z0-9_-]{20,255}"),
    _known("slack-token", ("xox", "xapp-"),
           r"(?<![A-Za-z0-9])(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{15,255}"),
    _marked("slack-webhook", "hooks.slack.com",
           r"hooks\.slack\.com/(?:services|workflows)/(?P<value>[A-Za-z0-9/_]{30,255})"),
    _known("google-key", "aiza", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"),
    _known("google-secret", "gocspx-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    _known("google-token", "ya29.", r"(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_-]{20,2000}"),
    _known("stripe-key", ("sk_live_", "sk_test_", "rk_live_", "rk_test_"),
           r"(?<![A-Za-z0-9])[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _known("stripe-secret", "whsec_", r"(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{24,255}"),
    Detector("openai-key", ("sk-",),
              re.compile(r"(?<![\w.-])sk-[A-Za-z0-9_-]{20,255}"), accepts_generated, is_form=True),
    _known("huggingface-token", "hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,64}(?![A-Za-z0-9_])"),
    _marked("azure-key", ("accountkey=", "sharedaccesskey=", "sharedsecret="),
           r"(?i:(?:AccountKey|SharedAccessKey|SharedSecret)=)(?P<value>[A-Za-z0-9+/]{40,128}={0,2})"),
    _marked("azure-signature", "sig=", r"[?&;]sig=(?P<value>[A-Za-z0-9%+/=]{40,128})"),
    _known("npm-token", "npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _marked("npm-token", ("_authtoken", "_auth=", "_password="),
           r"(?:^|[\s:])_(?:authToken|auth|password)\s{0,4}=\s{0,4}\"?(?P<value>[A-Za-z0-9+/=_.-]{16,512})"),
    _known("pypi-token", "pypi-age", r"pypi-AgE[A-Za-z0-9_-]{40,512}"),
    _known("sendgrid-key", "sg.", r"(?<![A-Za-z0-9])SG\.[\w-]{16,64}\.[\w-]{16,64}"),
    _known("telegram-token", ":aa", r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _known("digitalocean-token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[por]_v1_[a-f0-9]{64}"),
    _known("shopify-token", ("shpat_", "shpca_", "shppa_", "shpss_"),
           r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"),
    _known("vault-token", ("hvs.", "hvb."), r"(?<![A-Za-z0-9])hv[sb]\.[A-Za-z0-9_-]{24,512}"),
    _known("databricks-token", "dapi", r"(?<![A-Za-z0-9])dapi[a-f0-9]{32}(?![a-f0-9])"),
    _known("age-key", "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _known("aws-bedrock-key", "absk", r"(?<![A-Za-z0-9])ABSK[A-Za-z0-9+/]{60,300}={0,2}"),
    _known("alibaba-key", "ltai", r"(?<![A-Za-z0-9])LTAI[A-Za-z0-9]{16,20}(?![A-Za-z0-9])"),
    _known("airtable-token", "pat", r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    _known("artifactory-key", "akc", r"(?<![A-Za-z0-9])AKC[a-z0-9][A-Za-z0-9]{40,120}"),
    _known("atlassian-token", "atatt3", r"ATATT3[A-Za-z0-9_=-]{60,255}"),
    _marked("azure-secret", "q~",
           r"(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])"),
    _known("clojars-token", "clojars_", r"CLOJARS_[a-z0-9]{60}"),
    _known("contentful-token", "cfpat-", r"CFPAT-[A-Za-z0-9_-]{43}"),
    _known("discord-token", (".g", ".x", ".y", ".z"),
           r"(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{23,27}\.[GXYZ][A-Za-z0-9_-]{5}\.[A-Za-z0-9_-]{27,40}"),
    _marked("discord-webhook", "discord",
           r"discord(?:app)?\.com/api/webhooks/(?P<value>\d{15,20}/[\w-]{60,80})"),
    _known("docker-token", "dckr_", r"dckr_[a-z]{3}_[A-Za-z0-9_-]{27,40}"),
    _known("doppler-token", "dp.",
           r"(?<![A-Za-z0-9])dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,64}"),
    _known("dynatrace-token", "dt0c01.", r"dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _known("easypost-key", ("ezak", "eztk"), r"(?<![A-Za-z0-9])EZ[AT]K[A-Za-z0-9]{54}"),
    _known("facebook-token", ("eaam", "eaac", "eaab"), r"(?<![A-Za-z0-9])EAA[A-Za-z0-9]{100,300}"),
    _known("figma-token", "figd_", r"figd_[A-Za-z0-9_-]{40}"),
    _known("fly-token", ("fo1_", "fm1r_", "fm2_"),
           r"(?<![A-Za-z0-9])(?:fo1|fm1r|fm2)_[A-Za-z0-9+/=_-]{40,600}"),
    _known("gitlab-token", "gr1348941", r"GR1348941[A-Za-z0-9_-]{20}"),
    _known("google-token", "1//0", r"(?<![A-Za-z0-9/])1//0[A-Za-z0-9_-]{60,120}"),
    _known("grafana-token", ("glsa_", "glc_"),
           r"(?<![A-Za-z0-9])(?:glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,3})"),
    _known("groq-key", "gsk_", r"(?<![A-Za-z0-9])gsk_[A-Za-z0-9]{48,56}(?![A-Za-z0-9])"),
    _known("heroku-key", "hrku-", r"HRKU-[A-Za-z0-9_-]{36,64}"),
    _known("infracost-key", "ico-", r"(?<![A-Za-z0-9])ico-[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    _known("langsmith-key", "lsv2_", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),
    _known("linear-key", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    _known("mailchimp-key", "-us", r"(?<![a-f0-9])[a-f0-9]{32}-us\d{1,2}(?!\w)"),
    _known("mailgun-key", "key-", r"(?<![A-Za-z0-9_-])key-[a-f0-9]{32}(?![A-Za-z0-9])"),
    _known("mapbox-token", "sk.eyj", r"(?<![A-Za-z0-9])sk\.eyJ[A-Za-z0-9_-]{40,200}\.[\w-]{16,64}"),
    _known("netlify-token", "nfp_", r"(?<![A-Za-z0-9])nfp_[A-Za-z0-9_]{36}"),
    _known("newrelic-key", ("nrak-", "nrjs-", "nrii-"), r"NR(?:AK|JS|II)-[A-Za-z0-9_-]{19,40}"),
    _known("notion-token", "ntn_", r"(?<![A-Za-z0-9])ntn_[A-Za-z0-9]{40,50}"),
    _known("nuget-key", "oy2", r"(?<![A-Za-z0-9])oy2[a-z0-9]{43}(?![A-Za-z0-9])"),
    _known("openshift-token", "sha256~", r"sha256~[\w-]{43}"),
    _known("perplexity-key", "pplx-", r"(?<![A-Za-z0-9])pplx-[A-Za-z0-9]{48}"),
    _known("pinecone-key", "pcsk_", r"pcsk_[A-Za-z0-9_]{50,80}"),
    _known("planetscale-token", "pscale_", r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,64}"),
    _known("postman-key", "pmak-", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    _known("prefect-key", "pnu_", r"(?<![A-Za-z0-9])pnu_[A-Za-z0-9]{36}"),
    _known("pulumi-token", "pul-", r"(?<![A-Za-z0-9])pul-[a-f0-9]{40}(?![a-f0-9])"),
    _known("replicate-token", "r8_", r"(?<![A-Za-z0-9])r8_[A-Za-z0-9]{37}(?![A-Za-z0-9])"),
    _known("rubygems-key", "rubygems_", r"rubygems_[a-f0-9]{48}"),
    _known("sendinblue-key", "xkeysib-", r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    _known("sentry-token", ("sntryu_", "sntrys_"),
           r"sntry(?:u_[a-f0-9]{64}|s_eyJ[A-Za-z0-9+/=_-]{40,300})"),
    _known("shippo-token", "shippo_", r"shippo_(?:live|test)_[a-f0-9]{40}"),
    _known("sonar-token", ("squ_", "sqp_", "sqa_"), r"(?<![A-Za-z0-9])sq[upa]_[a-f0-9]{40}"),
    _known("sourcegraph-token", "sgp_",
           r"(?<![A-Za-z0-9])sgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}"),
    _known("square-token", ("eaaa", "sq0"),
           r"(?<![A-Za-z0-9])(?:EAAA[A-Za-z0-9_-]{60}|sq0[a-z]{3}-[A-Za-z0-9_-]{22,43})"),
    _known("supabase-key", ("sbp_", "sb_secret_"),
           r"(?<![A-Za-z0-9])(?:sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{24,64})"),
    _known("tailscale-key", "tskey-", r"tskey-[a-z]{2,10}-[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,40}"),
    _known("terraform-token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}"),
    _known("twilio-key", "sk", r"(?<![A-Za-z0-9])SK[a-f0-9]{32}(?![A-Za-z0-9])"),
    _known("typeform-token", "tfp_", r"(?<![A-Za-z0-9])tfp_[\w.=-]{44,64}"),
    _known("xai-key", "xai-", r"(?<![A-Za-z0-9])xai-[A-Za-z0-9]{70,90}"),
    _known("yandex-key", ("aqvn", "ycaj"),
           r"(?<![A-Za-z0-9])(?:AQVN|YCAJ)[A-Za-z0-9_-]{20,40}(?![\w-])"),
    _marked("jwt", "eyj",
           r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}"
           r"(?:\.[A-Za-z0-9_-]{8,4000})?"),
    Detector("authorization", ("bearer ", "basic "),
              re.compile(r"\b(?:Bearer|Basic|bearer|basic)\s+(?P<value>[A-Za-z0-9._~+/-]{20,4000}={0,2})"),
              accepts_generated),
    Detector("url-password", ("://",),
              re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://(?P<user>[^\s:/@'\"`<>?#]{0,128}):"
                         r"(?P<value>[^\s/@'\"`<>?#]{3,256})@(?=[\w\[$%{*(-])"),
              accepts_url),
    Detector("connection-string", ("password", "pwd"),
              re.compile(r"(?:^|[;\s\"'?&])(?P<name>(?P<password>password|pwd))(?P<rest>)\s{0,4}=\s{0,4}"
                         r"(?P<value>[^;\s\"'`&]{4,128})(?=;)", re.IGNORECASE),
              accepts_assigned),
    Detector("assigned-secret", _NAME_NEEDLES, _ASSIGNED, accepts_assigned),
    Detector("assigned-secret", _NAME_NEEDLES, _SHELL, accepts_bare),
    Detector("option-secret", ("--",), _OPTION, accepts_option),
)  # fmt: skip


def _by_needle(*, forms: bool) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for number, detector in enumerate(DETECTORS):
        if detector.is_form is forms:
            for needle in detector.needles:
                found[needle] = (*found.get(needle, ()), number)
    return found


BY_NEEDLE = _by_needle(forms=False)
BY_FORM = _by_needle(forms=True)
NAMED = BY_NEEDLE["secret"]
