"""Secrets in the forms in which programs are given them, and harmless things that look a little like them.

Each is put together here, so that no scanner takes it for a real one: `~` breaks a prefix, and is taken out.
"""

from __future__ import annotations

import base64
import json

_ALNUM = "Kq7Zt4mXw9LkR2vBn6HsJ8dPf3cGy5aTe1uKo0iWxV8bNm3QsD6fGh2JkL9pRtY4wEzXc7vBnM5aS1dF" * 3
_UPPER = _ALNUM.upper()
_LOWER = _ALNUM.lower()
_HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" * 3
_BODY = {"a": _ALNUM, "u": _UPPER, "h": _HEX, "l": _LOWER, "d": "7391846205" * 20}
_TOKENS = """
A3~-KQ7ZT4- u11 | ops~_eyJ a250 | p8e~- l32 | AGE-SECRET~-KEY-1 u58 | LT~AI a20 | sk-ant~-api03- a93 | AK~Cp a69
cm~VmdX a58 | ATA~TT3 a186 | AK~IA u16 | AS~IA u16 | ABS~K a110 | CLO~JARS_ l60 | da~pi h32 | dop~_v1_ h64
doo~_v1_ h64 | dor~_v1_ h64 | dp~.pt. a43 | duffel~_test_ a43 | dt0~c01. a24 | EZ~AK a54 | EZ~TK a54 | EA~AM a110
EA~AC a110 | FLWSECK~_TEST- h32 | fo1~_ a43 | fm2~_ a110 | fio~-u- a64 | gh~p_ a36 | gh~o_ a36 | gh~u_ a36
gh~s_ a36 | gh~r_ a36 | github~_pat_ a82 | gl~pat- a20 | gl~cbt-64_ a20 | gl~dt- a20 | gl~ffct- a20 | gl~ft- a20
gl~imt- a25 | gl~agent- a50 | gl~oas- h64 | gl~ptt- h40 | gl~rt- a20 | gl~soat- a20 | GR1~348941 a20 | AI~za a35
GOC~SPX- a28 | ya~29. a60 | glc~_ a60 | gls~a_ a32 | HRKU~-AA a58 | hf~_ a34 | lin~_api_ a40 | NR~AK- u27
NR~II- a32 | ntn~_ d11a35 | np~m_ a36 | API~- u26 | s~k-proj- a74 | s~k- a48 | sha256~~ a43 | pplx~- a48
pscale~_tkn_ a43 | pscale~_pw_ a43 | PM~AK- h59 | pn~u_ a36 | pu~l- h40 | py~pi-AgEIcHlwaS5vcmc a60 | rd~me_ l70
ruby~gems_ h48 | tk~-us- a48 | S~G. a66 | xkey~sib- h64 | sntry~s_eyJ a80 | sntry~u_ h64 | sm~_pat_ a16
shippo~_live_ h40 | sh~pat_ h32 | sh~pca_ h32 | sh~ppa_ h32 | sh~pss_ h32 | xa~pp-1-A0- a40 | xo~xb-2401- a24
xo~xp-2401- a34 | xo~xe-1- u146 | sq~p_ h40 | sg~p_ h40 | sq0~atp- a22 | sk~_live_ a24 | rk~_test_ a24 | wh~sec_ a32
S~K h32 | tf~p_ a59 | hv~s. a95 | hv~b. a140 | pa~t.Kq7Zt4mXw9LkR2vBn6HsJ8.Kq7Zt4mXw9LkR2vBn6HsJ8dP. a20
123456789~:AA a33 | ke~y- h32
"""


def _made(given: str) -> tuple[str, str]:
    """A token, and the part of it that is secret."""
    prefix, _, lengths = given.strip().rpartition(" ")
    body, at = "", 0
    while at < len(lengths):
        kind, end = lengths[at], at + 1
        while end < len(lengths) and lengths[end].isdigit():
            end += 1
        body += _BODY[kind][: int(lengths[at + 1 : end])]
        at = end
    whole = prefix.replace("~~", "\0").replace("~", "").replace("\0", "~") + body
    return whole, body


TOKENS: dict[str, tuple[str, str]] = {
    given.strip().split(" ")[0]: _made(given) for line in _TOKENS.strip().splitlines() for given in line.split("|")
}
"""Each is known wherever it stands, whatever stands before it."""

_V = "S3cr" + "3tV4lueOfX9"
_KEY = json.dumps({"type": "service_account", "private_key_id": "x", "private_key": "-----BEGIN " + _ALNUM})
_ENCODED = base64.b64encode(_KEY.encode()).decode()
_NICE = base64.b64encode(json.dumps(json.loads(_KEY), indent=2).encode()).decode()
NAMED: tuple[str, ...] = tuple(
    form.format(V=_V)
    for form in (
        *("SECRET_KEY={V}", "DJANGO_SECRET_KEY={V}", "DB_PASSWORD_PROD={V}", "REDIS_PASSWORD_2={V}", "dbPassword={V}"),
        *(
            "accessToken={V}",
            "clientSecret: {V}",
            "//registry.example.com/:_authToken={V}",
            "PGPASSWORD={V}",
            "MYSQL_PWD={V}",
        ),
        *("apiKey={V}", "API_KEY: {V}", "x-api-key: {V}", "X-Auth-Token: {V}", "Authorization: Token {V}"),
        *("Authorization: SSWS {V}", "Authorization: Basic {V}", "Authorization: Bearer {V}", "Authorization: {V}"),
        *(
            "Proxy-Authorization: Digest response={V}",
            "Cookie: sid={V}; other={V}",
            "Set-Cookie: session={V}; HttpOnly",
        ),
        *(
            "mysql -p{V} -h db",
            "mysqldump -u root -p{V} shop",
            "mariadb -p{V}",
            "sshpass -p {V} ssh host",
            "sshpass -p{V} ssh host",
        ),
        *(
            "tool -p {V}",
            "docker login -u me -p {V} registry.example.com",
            "redis-cli -a {V} ping",
            "curl -u user:{V} https://x.example",
        ),
        *(
            "curl --user user:{V} https://x.example",
            "curl -uuser:{V} https://x.example",
            "curl -b sid={V} https://x.example",
        ),
        *(
            "deploy --token {V}",
            "deploy --token={V}",
            "deploy --api-key {V}",
            "deploy --password '{V}'",
            'deploy --client-secret "{V}"',
        ),
        *("sh -c 'mysql -p{V} shop'", 'bash -c "sshpass -p {V} ssh host"', "https://{V}@git.example.com/x.git"),
        *("https://user:{V}@git.example.com/x.git", "postgres://app:{V}@db/shop", "redis://:{V}@cache:6379/0"),
        *(
            "https://a.blob.core.windows.net/c?sv=2024&sig={V}%3D&se=2026",
            "https://x.example/cb?access_token={V}&state=1",
        ),
        *(
            "Endpoint=sb://a.example/;SharedAccessKeyName=root;SharedAccessKey={V}=",
            "AccountName=a;AccountKey={V}==;Suffix=x",
        ),
        *(
            "Server=db;Uid=app;Pwd={V};",
            '{{"password": "{V}"}}',
            '{{\\"db_password\\": \\"{V}\\"}}',
            "{{'token': '{V}'}}",
        ),
        *("<password>{V}</password>", '<add key="DbPassword" value="{V}" />', "- name: DB_PASSWORD\n  value: {V}"),
        *('{{"name": "API_TOKEN", "value": "{V}"}}', "machine x.example login me password {V}", "IDENTIFIED BY '{V}'"),
        *(
            'password = "two words {V}"',
            "PASSWORD={V}&{V};{V}",
            "export AWS_SECRET_ACCESS_KEY={V}",
            "aws_secret_access_key = {V}",
        ),
        *(
            "-----BEGIN " + "PRIVATE KEY-----\nMIIE{V}",
            "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n{V}",
            "spring.datasource.password={V}",
        ),
        *('["--token", "{V}"]', "['-p', '{V}']", '["-u", "user:{V}"]', "token%3D{V}", "env['SECRET_TOKEN'] = '{V}'"),
    )
)
NAMED += (f'passwords: ["{_V}", "{_V}"]', f"requirepass {_V} -x", f"docker login -p={_V}")
NAMED += (f"key {_ENCODED}", f"key {_NICE}")
NAMED += (f"vault login {_V}", f"aws configure set aws_secret_access_key {_V}", f"('password', '{_V}')")
NAMED += (f"pass\u200bword={_V}", f"\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44={_V}", f'("token","{_V}")')
NAMED += (f"echo {_V} | docker login --password-stdin", f"echo -n '{_V}' | sudo -S id", f"echo root:{_V} | chpasswd")
NAMED += (f"kubectl create secret generic db --from-literal=k={_V}", f"mosquitto_pub -u a -P {_V} -t x")
LISTS: tuple[tuple[str, ...], ...] = (
    ("vault", "login", _V),
    ("sh", "-c", f"echo {_V} | docker login --password-stdin"),
    ("aws", "configure", "set", "aws_secret_access_key", _V),
    (f"-p={_V}",),
    (f"--user=a:{_V}",),
    ("keytool", "-storepass", _V),
    ("redis-server", "requirepass", _V),
    ("--token", _V),
    ("-p", _V),
    ("-u", f"user:{_V}"),
    ("--password", f"two words {_V}"),
    ("--api-key", _V),
    ("mysql", f"-p{_V}", "shop"),
    ("sshpass", "-p", _V, "ssh", "host"),
    ("redis-cli", "-a", _V),
    ("curl", "-H", f"Authorization: Token {_V}", "https://x.example"),
    ("curl", "--cookie", f"sid={_V}", "https://x.example"),
    ("env", f"DB_PASSWORD_PROD={_V}", "run"),
    ("DB_PASSWORD", _V),
    ("Authorization", f"Token {_V}"),
    ("X-Api-Key:", _V),
    ("sh", "-c", f"mysql -p{_V} shop"),
)
TELLING = (_V[:6], _V[4:10], _ENCODED[40:60], _NICE[40:60])
"""Parts of which none may be shown."""

_DIGEST = "sha256:" + _HEX[:64]
HARMLESS: tuple[str, ...] = (
    *(_HEX[:64], _HEX[:40], _HEX[:32], _DIGEST, f"europe-docker.pkg.dev/p/r/checkout@{_DIGEST}", "gcr.io/p/token:v1.2"),
    *(
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "10.0.0.1",
        "10.0.0.1:8080",
        "2001:db8::1",
        "203.0.113.7/24",
        "db.internal",
    ),
    *(
        "token-00007-abc",
        "secret-00001-xyz",
        "password-reset-00012-qrs",
        "auth",
        "secret",
        "token",
        "password",
        "credentials",
    ),
    *(
        "token@shop-prod.iam.gserviceaccount.com",
        "serviceAccount:secret@my-secret.iam.gserviceaccount.com",
        "api-key-service",
    ),
    *(
        "//run.googleapis.com/projects/p/locations/europe-west1/services/token",
        "projects/p/serviceAccounts/auth@p.example",
    ),
    *(
        "projects/p/locations/l/services/secret/revisions/secret-00001-abc",
        "T1059.004",
        "TA0002",
        "D3-NTF",
        "CVE-2026-12345",
    ),
    *(
        "2026-11-28T12:15:28.123456789Z",
        "fb-3c1f0b7a9d2e4f58",
        "Execution: Added Malicious Binary Executed",
        "trojan.xmrig",
    ),
    *(
        "the token expired",
        "echo hello | tee -a log",
        "vault status -format=json",
        "the token was set to expire",
        "gpg --passphrase-fd 0 --decrypt x",
        "Binary Authorization admits images",
        "the password was wrong",
        "no credentials were given",
        "a secret was read",
        "it asks for a cookie",
    ),
    *(
        "Permission 'secretmanager.versions.access' denied on resource",
        "iam.serviceAccounts.getAccessToken",
        "roles/run.invoker",
    ),
    *(
        "secretKeyRef: db",
        "secretName: db-login",
        "token_bucket=5",
        "max_tokens=4096",
        "TOKEN_TTL=3600",
        "PASSWORD_FILE=/run/x",
    ),
    *(
        "tokenType: refresh",
        "auth_method=oidc",
        "password_policy: strict",
        "ssh -p 22 host",
        "docker run -p 8080:80 image",
    ),
    *(
        "mkdir -p /var/lib/x",
        "docker run -u 1000:1000 image",
        "ssh://git@github.com/o/r.git",
        "https://x.example/a?b=c#d",
    ),
    *(
        "gcloud run services update-traffic token --to-revisions=token-00007-abc=100 --project=p --region=r",
        "python -m http.server",
    ),
    *(
        "gcloud run services update checkout --set-secrets=A=b:latest",
        "nextPageToken=abc",
        "keyboard: us",
        "author: ada",
    ),
    *(
        "/usr/bin/passwd",
        "/etc/ssl/private/key.pem",
        "monkey=1",
        "bypass=1",
        "compass: north",
        "ls -la /tmp",
        "tar -xzf a.tgz",
    ),
    *(
        "sk-checkout-service-for-the-shop",
        "LATEST=100",
        "checkout-00007-good=100",
        "status: token",
        "password: none",
        "auth=true",
    ),
)
