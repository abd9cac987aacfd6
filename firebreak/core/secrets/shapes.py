"""What tokens of known providers look like. Data alone: `firebreak/core/secrets/redaction.py` makes patterns of it.

The prefixes, alphabets and lengths of `SHAPES` are taken from the rules of gitleaks (config/gitleaks.toml as of 22 July
2026, commit b58d3f102cf3; https://github.com/gitleaks/gitleaks), which is under the MIT License, Copyright (c) 2019
Zachary Rice. Rules there that know a token only by a provider's name before it are not taken over: the names in
`firebreak/core/secrets/names.py` stand for them. Lengths are lower bounds, so that a token that was cut is known too.

The MIT License: Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software,
and to permit persons to whom the Software is furnished to do so, subject to the following conditions: The above
copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

from __future__ import annotations

ALPHABETS = {
    "alnum": "0-9A-Za-z",
    "upper": "0-9A-Z",
    "hex": "0-9A-Fa-f",
    "word": "0-9A-Za-z_-",
    "dots": "0-9A-Za-z_.=-",
    "base64": "0-9A-Za-z+/=_-",
}
"""Names for the inside of a character class."""

SHAPES = """
1Password key        | A3-             | upper  | 6 | -
1Password token      | ops_eyJ         | base64 | 40
Adobe secret         | p8e-            | alnum  | 32
age key              | AGE-SECRET-KEY-1 | upper | 20
Alibaba key          | LTAI            | alnum  | 20
Anthropic key        | sk-ant-         | word   | 20
Artifactory key      | AKCp            | alnum  | 60
Artifactory token    | cmVmd           | alnum  | 59
Atlassian token      | ATATT3          | dots   | 40
AWS access key       | AKIA            | upper  | 16
AWS access key       | ASIA            | upper  | 16
AWS access key       | ABIA            | upper  | 16
AWS access key       | ACCA            | upper  | 16
AWS access key       | AGPA            | upper  | 16
AWS access key       | AROA            | upper  | 16
AWS Bedrock key      | ABSK            | base64 | 60
AWS Bedrock key      | bedrock-api-key- | base64 | 20
Clojars token        | CLOJARS_        | alnum  | 40
Cloudflare key       | v1.0-           | hex    | 24 | -
Databricks token     | dapi            | hex    | 32
Defined token        | dnkey-          | dots   | 26
DigitalOcean token   | dop_v1_         | hex    | 32
DigitalOcean token   | doo_v1_         | hex    | 32
DigitalOcean token   | dor_v1_         | hex    | 32
Doppler token        | dp.pt.          | alnum  | 30
Duffel token         | duffel_test_    | dots   | 30
Duffel token         | duffel_live_    | dots   | 30
Dynatrace token      | dt0c01.         | alnum  | 20 | .
EasyPost key         | EZAK            | alnum  | 40
EasyPost key         | EZTK            | alnum  | 40
Facebook token       | EAAM            | alnum  | 80
Facebook token       | EAAC            | alnum  | 80
Flutterwave key      | FLWSECK_TEST-   | word   | 12
Flutterwave key      | FLWSECK-        | word   | 12
Fly.io token         | fo1_            | word   | 40
Fly.io token         | fm1a_           | base64 | 60
Fly.io token         | fm1r_           | base64 | 60
Fly.io token         | fm2_            | base64 | 60
Frame.io token       | fio-u-          | dots   | 50
GitHub token         | ghp_            | alnum  | 30
GitHub token         | gho_            | alnum  | 30
GitHub token         | ghu_            | alnum  | 30
GitHub token         | ghs_            | alnum  | 30
GitHub token         | ghr_            | alnum  | 30
GitHub token         | github_pat_     | word   | 30
GitLab token         | glpat-          | dots   | 15
GitLab token         | glcbt-          | word   | 20
GitLab token         | gldt-           | word   | 20
GitLab token         | glffct-         | word   | 20
GitLab token         | glft-           | word   | 20
GitLab token         | glimt-          | word   | 20
GitLab token         | glagent-        | word   | 20
GitLab token         | gloas-          | word   | 20
GitLab token         | glptt-          | word   | 20
GitLab token         | glrt-           | dots   | 20
GitLab token         | glsoat-         | word   | 20
GitLab token         | GR1348941       | word   | 20
Google API key       | AIza            | word   | 30
Google client secret | GOCSPX-         | word   | 20
Google OAuth token   | ya29.           | dots   | 20
Grafana key          | glc_            | base64 | 32
Grafana key          | glsa_           | word   | 32
Heroku key           | HRKU-AA         | word   | 40
Hugging Face token   | hf_             | alnum  | 30
Hugging Face token   | api_org_        | alnum  | 30
Infracost key        | ico-            | alnum  | 32
Intra42 secret       | s-s4t2ud-       | hex    | 40
Intra42 secret       | s-s4t2af-       | hex    | 40
Linear key           | lin_api_        | alnum  | 30
Mapbox token         | pk.eyJ          | dots   | 30
Mapbox token         | sk.eyJ          | dots   | 30
New Relic key        | NRAK-           | alnum  | 24
New Relic key        | NRJS-           | alnum  | 19
New Relic key        | NRII-           | word   | 30
Notion token         | ntn_            | alnum  | 40
npm token            | npm_            | alnum  | 30
Octopus key          | API-            | upper  | 26
OpenAI key           | sk-proj-        | word   | 20
OpenAI key           | sk-svcacct-     | word   | 20
OpenAI key           | sk-admin-       | word   | 20
OpenAI key           | sk-             | alnum  | 32
OpenShift token      | sha256~         | word   | 40
Perplexity key       | pplx-           | alnum  | 40
PlanetScale token    | pscale_tkn_     | dots   | 30
PlanetScale token    | pscale_oauth_   | dots   | 30
PlanetScale password | pscale_pw_      | dots   | 30
Postman key          | PMAK-           | word   | 50
Prefect token        | pnu_            | alnum  | 30
Pulumi token         | pul-            | hex    | 40
PyPI token           | pypi-           | word   | 32
Readme token         | rdme_           | alnum  | 60
RubyGems token       | rubygems_       | hex    | 40
Scalingo token       | tk-us-          | word   | 40
SendGrid key         | SG.             | dots   | 40
Sendinblue key       | xkeysib-        | word   | 60
Sentry token         | sntrys_         | base64 | 40
Sentry token         | sntryu_         | hex    | 40
SettleMint token     | sm_aat_         | alnum  | 16
SettleMint token     | sm_pat_         | alnum  | 16
SettleMint token     | sm_sat_         | alnum  | 16
Shippo token         | shippo_live_    | hex    | 30
Shippo token         | shippo_test_    | hex    | 30
Shopify token        | shpat_          | hex    | 30
Shopify token        | shpca_          | hex    | 30
Shopify token        | shppa_          | hex    | 30
Shopify secret       | shpss_          | hex    | 30
Slack token          | xapp-           | word   | 10
Slack token          | xoxa-           | word   | 10
Slack token          | xoxb-           | word   | 10
Slack token          | xoxe-           | word   | 10
Slack token          | xoxe.xox        | word   | 10
Slack token          | xoxo-           | word   | 10
Slack token          | xoxp-           | word   | 10
Slack token          | xoxr-           | word   | 10
Slack token          | xoxs-           | word   | 10
SonarQube token      | sqp_            | hex    | 36
SonarQube token      | squ_            | hex    | 36
SonarQube token      | sqa_            | hex    | 36
Sourcegraph token    | sgp_            | word   | 36
Square token         | sq0atp-         | word   | 20
Square secret        | sq0csp-         | word   | 20
Square token         | EAAA            | word   | 56
Stripe key           | sk_live_        | alnum  | 10
Stripe key           | sk_test_        | alnum  | 10
Stripe key           | sk_prod_        | alnum  | 10
Stripe key           | rk_live_        | alnum  | 10
Stripe key           | rk_test_        | alnum  | 10
Stripe key           | rk_prod_        | alnum  | 10
Stripe webhook key   | whsec_          | base64 | 20
Twilio key           | SK              | hex    | 32
Twilio key           | Sk              | hex    | 32
Twilio key           | sk              | hex    | 32
Typeform token       | tfp_            | dots   | 40
Vault token          | hvs.            | word   | 20
Vault token          | hvb.            | word   | 20
Vault token          | hvr.            | word   | 20
"""
"""Kind, literal beginning, alphabet, fewest characters after it; and what may lead further parts of the same kind."""

ODD_SHAPES = (
    ("Airtable token", "pat", r"pat[0-9A-Za-z]{14}\.[0-9a-f]{40,64}"),
    (
        "Authress key",
        ".acc",
        r"(?:scauth|authress|ext|sc)_[0-9a-z]{5,30}\.[0-9a-z]{4,6}\.acc[_-][0-9a-z.+/_=-]{30,200}",
    ),
    ("Azure secret", "Q~", r"[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,40}"),
    ("Discord token", ".", r"[MNO][0-9A-Za-z_-]{23,27}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,40}"),
    ("Harness key", "at.", r"[ps]at\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}"),
    ("Mailchimp key", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}"),
    ("Mailgun key", "key-", r"key-[0-9a-f]{32}"),
    ("MaxMind key", "_mmk", r"[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk"),
    ("Teams webhook", "webhook.office.com", r"[0-9A-Za-z-]{0,60}\.webhook\.office\.com/[0-9A-Za-z/@-]{20,400}"),
    ("Telegram token", ":AA", r"[0-9]{8,10}:AA[0-9A-Za-z_-]{30,40}"),
    ("Terraform token", ".atlasv1.", r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{50,80}"),
    ("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z/_+-]{10,200}"),
    ("chat webhook", "chat.googleapis.com", r"chat\.googleapis\.com/v1/spaces/[^\s\"']{10,400}"),
    ("Discord webhook", "/api/webhooks/", r"/api/webhooks/[0-9]{10,25}/[0-9A-Za-z_-]{20,120}"),
    ("Vault token", "s.", r"s\.[0-9A-Za-z]{24}(?![0-9A-Za-z.])"),
)
"""Kind, a literal that is in each of them, and a pattern that is bounded on every side."""

ENCODED = ("eyJ0eXBlIjo", "eyAidHlwZSI", "ewogICJ0eXBlIjo", "ewogICAgInR5cGUi", "ew0KICAidHlwZSI", "eyJhdXRocyI6")
"""How the base64 of a service account's key and of a registry's logins begins; any longer JSON may carry the same."""
