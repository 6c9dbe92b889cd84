"""The rules of the detector: what each finds, with examples and counter-examples.

Examples are templates with placeholders for values, such as `{KEY}` and `{SECRET}`, as in the corpus of the tests. A
test fills every example with fresh values and runs the detector on it.
"""

from __future__ import annotations

from binance_leaks.lazy_dataclasses import KW_ONLY, dataclass
from binance_leaks.model import Confidence

HMAC = "hmac"
FUTURES_TESTNET = "futures-testnet"
PAY = "pay"
BASE64 = "base64"
FRAGMENTS = "fragments"
PRIVATE_KEY_PEM = "private-key-pem"
PRIVATE_KEY_BASE64 = "private-key-base64"
ED25519_SEED = "ed25519-seed"

STRICT = frozenset({FUTURES_TESTNET, PAY})
"""Rules whose values look like a hundred other things, so that they always need evidence for Binance."""

OF_ONE_ACCOUNT = frozenset({HMAC, BASE64, FRAGMENTS, PRIVATE_KEY_PEM, PRIVATE_KEY_BASE64, ED25519_SEED})
"""Rules whose values may be the two halves of one credential, each written in its own way."""


@dataclass(frozen=True, slots=True)
class Example:
    """A template, its path, and the least confidence at which its values are found.

    Of a counter-example nothing is found by its rule at `medium` or above; `confidence` has no meaning there.
    """

    text: str
    _: KW_ONLY
    path: str = ""
    confidence: Confidence = Confidence.MEDIUM


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A way in which a credential is recognised. `id` is stable: reports and configurations name it."""

    id: str
    title: str
    description: str
    examples: tuple[Example, ...]
    counter_examples: tuple[Example, ...]


_HMAC = Rule(
    id=HMAC,
    title="Binance HMAC API key or secret",
    description=(
        "Exactly 64 letters and digits of all three classes with the entropy of random text, alone between its "
        "neighbours: the shape of every API key and HMAC secret in Binance's own documents, on binance.com, the spot "
        "testnet, demo and Binance.US. Reported where two of three agree: a credential's name or a call that takes "
        "credentials, something that mentions Binance (a host, header, client library, name or path), and a partner "
        "beside it. A documented example of Binance is reported as such."
    ),
    examples=(
        Example('client = Client("{KEY}", "{SECRET}")', path="binance_bot.py"),
        Example("BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}", path=".env"),
        Example('{"exchange": "binance", "apiKey": "{KEY}", "secret": "{SECRET}"}', path="config.json"),
        Example('curl -H "X-MBX-APIKEY: {KEY}" https://api.binance.com/api/v3/account'),
        Example("from binance.spot import Spot\n\nAPI_SECRET = '{SECRET}'", path="settings.py"),
        Example('const a = "{KEY}";\nconst b = "{SECRET}";', confidence=Confidence.LOW),
        Example("API_KEY={KEY}", path=".env", confidence=Confidence.LOW),
    ),
    counter_examples=(
        Example("BINANCE_API_KEY={ALNUM63}\nBINANCE_API_SECRET={ALNUM65}", path=".env"),
        Example("BINANCE_API_KEY={FILLER64}", path=".env"),
        Example('import binance\nAPI_KEY_ALPHABET = "{ALPHABET64}"'),
        Example('  binanceApiKeyError: "{CAMEL64}",', path="messages.ts"),
        Example('binance logo\n"""\n{B64_LINES}\n"""'),
        Example("-----BEGIN CERTIFICATE-----\n{B64_LINES}\n-----END CERTIFICATE-----", path="binance.crt"),
        Example('from binance.client import Client\nlisten_key = "{LISTEN_KEY}"'),
        Example("wss://stream.binance.com:9443/ws/{LISTEN_KEY}"),
        Example("BINANCE_TESTNET=true\nJWT_SECRET={FOREIGN64}", path=".env"),
        Example("TOOBIT_API_KEY={FOREIGN64}\nTOOBIT_API_SECRET={FOREIGN642}", path=".env"),
        Example("API_KEY={FOREIGN64}", path=".env"),
    ),
)

_FUTURES_TESTNET = Rule(
    id=FUTURES_TESTNET,
    title="Binance futures testnet API key or secret",
    description=(
        "Exactly 64 lower-case hexadecimal digits: keys and secrets of the old futures testnet, as seen in public "
        "code. A digest, a signature, a transaction id and an EVM private key look the same, so it needs both the name "
        "of an API credential (or a call that takes one) and evidence for Binance, and no word such as hash or "
        "signature before it."
    ),
    examples=(
        Example("BINANCE_FUTURES_TESTNET_KEY={HEX_KEY}\nBINANCE_FUTURES_TESTNET_SECRET={HEX_SECRET}", path=".env"),
        Example('UMFutures(key="{HEX_KEY}", secret="{HEX_SECRET}", base_url="https://testnet.binancefuture.com")'),
        Example('futures.UseTestnet = true\nclient := binance.NewFuturesClient("{HEX_KEY}", "{HEX_SECRET}")'),
        Example("binance:\n  futures_testnet:\n    api_key: {HEX_KEY}\n    api_secret: {HEX_SECRET}", path="bot.yaml"),
        Example('curl -H X-MBX-APIKEY:{HEX_KEY} "https://testnet.binancefuture.com/fapi/v1/order?signature={HEX64}"'),
    ),
    counter_examples=(
        Example("GET https://testnet.binancefuture.com/fapi/v1/account?timestamp=1&signature={HEX64}"),
        Example('"dependencies": {"binance": {"hashes": ["sha256:{HEX64}", "sha256:{HEX642}"]}}', path="Pipfile.lock"),
        Example('[{"coin": "USDT", "txId": "{HEX64}", "source": "binance"}]'),
        Example("// Binance Smart Chain\nconst PRIVATE_KEY = '{EVM_KEY}';"),
        Example("PRIVATE_KEY={HEX64}\nBSC_RPC=https://bsc-dataseed.binance.org/", path=".env"),
        Example("BITGET_API_SECRET={HEX64}", path="futures/.env"),
        Example("API_KEY={HEX64}\nAPI_SECRET={HEX642}", path=".env"),
    ),
)

_PAY = Rule(
    id=PAY,
    title="Binance Pay merchant key or secret",
    description=(
        "Exactly 64 lower-case letters and digits: the certificate number and the secret of a Binance Pay merchant, as "
        "seen in public code. Taken only with the name of a credential and with Binance Pay named in the same text or "
        "path (its host, a BinancePay header, or the words), because listen keys and session ids look the same."
    ),
    examples=(
        Example("BINANCE_PAY_API_KEY={PAY_KEY}\nBINANCE_PAY_SECRET_KEY={PAY_SECRET}", path="shop/.env"),
        Example('headers = {"BinancePay-Certificate-SN": "{PAY_KEY}"}', path="pay.py"),
        Example("Host: bpay.binanceapi.com\nBinancePay-Certificate-SN: {PAY_KEY}\nBinancePay-Signature: {HEX128}"),
        Example('// Binance Pay\nconst certificateSN = "{PAY_KEY}";\nconst merchantSecret = "{PAY_SECRET}";'),
    ),
    counter_examples=(
        Example("connected wss://fstream.binance.com/ws/{LISTEN_KEY36}"),
        Example('{"listenKey": "{LISTEN_KEY36}"}', path="binance-pay/stream.json"),
        Example("BINANCE_API_KEY={LISTEN_KEY36}", path=".env"),
        Example("# Binance Pay\nsession_id = {LISTEN_KEY36}"),
        Example("BinancePay-Signature: {HEX128}\nBinancePay-Nonce: {ALNUM32}"),
        Example("API_KEY={LISTEN_KEY36}\nAPI_SECRET={LISTEN_KEY362}", path=".env"),
    ),
)

_BASE64 = Rule(
    id=BASE64,
    title="Binance API key or secret in base64",
    description=(
        "Base64 that decodes to nothing but a value of the shape that the plain rules know, with or without a line "
        "feed behind it, as in the data of a Kubernetes secret. The evidence that it needs is that of the value "
        "itself. Of 1.95 million tokens of this length in public repositories only five decode to such a value."
    ),
    examples=(
        Example("BINANCE_API_KEY_B64={KEY_B64}\nBINANCE_API_SECRET_B64={SECRET_B64}", path=".env"),
        Example("kind: Secret\ndata:\n  BINANCE_API_KEY: {KEY_B64_NL}\n  BINANCE_API_SECRET: {SECRET_B64_NL}"),
        Example("kind: Secret\ndata:\n  binance-api-key: |\n    {KEY_B64_WRAP}", path="secret.yaml"),
        Example("const binanceKey = atob('{KEY_B64}');\nconst binanceSecret = atob('{SECRET_B64}');"),
    ),
    counter_examples=(
        Example('# binance ed25519 request\nassert signature == "{B64_SIG}"'),
        Example('"binance-api-node": {"integrity": "{NPM_INTEGRITY}"}', path="package-lock.json"),
        Example(".binance{background:url(data:image/png;base64,{B64_RSA_SIG})}"),
        Example('quote = "binance"\nk = krakenex.API(key="{KRAKEN_KEY}", secret="{KRAKEN_SECRET}")'),
        Example("kind: Secret\ndata:\n  session-secret: {FOREIGN64_B64}"),
        Example("BINANCE_API_KEY_B64={ALNUM63_B64}\nBINANCE_API_SECRET_B64={ALNUM65_B64}", path=".env"),
    ),
)

_FRAGMENTS = Rule(
    id=FRAGMENTS,
    title="Binance API key or secret cut into pieces",
    description=(
        "String literals that an operator, a join or nothing at all puts together, appended pieces, and lines "
        "continued with a backslash, where the pieces make up exactly one value of 64 letters and digits with the "
        "shape of an API key. The evidence that it needs is that of the same value in one piece. A list of strings "
        "counts only where it is joined."
    ),
    examples=(
        Example("BINANCE_KEY = '{KEY_FIRST32}' + '{KEY_LAST32}'", path="keys.py"),
        Example('binance_secret = ("{SECRET_FIRST40}"\n                  "{SECRET_LAST24}")', path="keys.py"),
        Example("// binance\nconst apiKey = ['{KEY_FIRST32}', '{KEY_LAST32}'].join('');"),
        Example("export BINANCE_KEY={KEY_FIRST32}\\\n{KEY_LAST32}", path="run.sh"),
        Example('binance_key = "{KEY_FIRST32}"\nbinance_key += "{KEY_LAST32}"', path="keys.py"),
        Example("Binance API key: {KEY_FIRST56}=\n{KEY_LAST8}", path="mail.eml"),
    ),
    counter_examples=(
        Example("binance_ids = ['{FOREIGN64_FIRST32}', '{FOREIGN64_LAST32}']"),
        Example("BINANCE_KEY = '{ALNUM65_FIRST32}' + '{ALNUM65_LAST33}'"),
        Example("BINANCE_KEY = '{ALNUM63_FIRST32}' + '{ALNUM63_LAST31}'"),
        Example("BINANCE_DIGEST = '{HEX64_FIRST32}' + '{HEX64_LAST32}'"),
        Example("BINANCE_KEY = '{FILLER64_FIRST32}' + '{FILLER64_LAST32}'"),
        Example("SESSION_SECRET = '{FOREIGN64_FIRST32}' + '{FOREIGN64_LAST32}'"),
    ),
)

_PRIVATE_KEY_PEM = Rule(
    id=PRIVATE_KEY_PEM,
    title="Binance Ed25519 or RSA private key in PEM",
    description=(
        "A private key between PEM armour, on lines of its own, escaped into one string, concatenated, or as base64 of "
        "the whole file. Binance takes Ed25519 and RSA keys in PKCS#8 and RSA keys in PKCS#1. Every service has such "
        "keys, so it needs evidence for Binance in the path or near it, or an API key beside it. An encrypted key is "
        "of low confidence, being of no use without its passphrase."
    ),
    examples=(
        Example("-----BEGIN PRIVATE KEY-----\n{PEM_BODY}\n-----END PRIVATE KEY-----", path="binance_private_key.pem"),
        Example("-----BEGIN RSA PRIVATE KEY-----\n{RSA1_BODY}\n-----END RSA PRIVATE KEY-----", path="binance/rsa.key"),
        Example(
            'BINANCE_API_KEY={KEY}\nBINANCE_PRIVATE_KEY="-----BEGIN PRIVATE KEY-----\\n{PEM_BODY}\\n'
            '-----END PRIVATE KEY-----"',
            path=".env",
        ),
        Example("binance:\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    {RSA_BODY}\n    -----END PRIVATE KEY-----"),
        Example("BINANCE_PRIVATE_KEY_BASE64={PEM_BODY_FILE_B64}", path=".env"),
        Example(
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{ENC_BODY}\n-----END ENCRYPTED PRIVATE KEY-----",
            path="binance/encrypted-prv-key.pem",
            confidence=Confidence.LOW,
        ),
    ),
    counter_examples=(
        Example("-----BEGIN RSA PRIVATE KEY-----\n{PLAIN_RSA_BODY}\n-----END RSA PRIVATE KEY-----", path="tls.key"),
        Example("-----BEGIN PRIVATE KEY-----\n{PLAIN_ED_BODY}\n-----END PRIVATE KEY-----", path="tests/ca-key.pem"),
        Example("-----BEGIN PUBLIC KEY-----\n{B64_LINES}\n-----END PUBLIC KEY-----", path="binance-pub.pem"),
        Example("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", path="docs/binance.md"),
        Example(
            'BINANCE_API_KEY={KEY}\nGITHUB_APP_PRIVATE_KEY="-----BEGIN RSA PRIVATE KEY-----\\n'
            '{PLAIN_RSA_BODY_ESCAPED}\\n-----END RSA PRIVATE KEY-----"',
            path=".env",
        ),
    ),
)

_PRIVATE_KEY_BASE64 = Rule(
    id=PRIVATE_KEY_BASE64,
    title="Binance Ed25519 or RSA private key in bare base64",
    description=(
        "The base64 body of a private key without its PEM armour, as some clients take it: 48 bytes of PKCS#8 for "
        "Ed25519, PKCS#8 or PKCS#1 for RSA, recognised by their first bytes. It needs the same evidence for Binance "
        "as a key in PEM."
    ),
    examples=(
        Example("BINANCE_ED25519_API_KEY={KEY}\nBINANCE_ED25519_PRIVATE_KEY={PEM_BODY}", path=".env"),
        Example('BinanceExecClientConfig(\n    api_key="{KEY}",\n    api_secret="{PEM_BODY}",\n)', path="live.py"),
        Example("BINANCE_RSA_PRIVATE_KEY={RSA_BODY_FLAT}", path=".env"),
        Example('{"exchange": "binance", "privateKey": "{RSA1_BODY_FLAT}"}', path="config.json"),
    ),
    counter_examples=(
        Example("JWT_PRIVATE_KEY={PLAIN_ED_BODY}", path="auth/.env"),
        Example("SAML_KEY={PLAIN_RSA_BODY_FLAT}", path="auth/.env"),
        Example("BINANCE_SIGNATURE={B64_RSA_SIG}", path=".env"),
        Example("BINANCE_PRIVATE_KEY={B64_SHA256}", path=".env"),
        Example("ssh-rsa {B64_RSA_SIG} binance-bot@vps", path="deploy.pub"),
    ),
)

_ED25519_SEED = Rule(
    id=ED25519_SEED,
    title="Binance Ed25519 private key as a bare seed",
    description=(
        "Base64 of 32 random bytes, the seed from which some clients build an Ed25519 key. The value "
        "looks like a digest, so its own name must be that of a private key, and Binance must be mentioned in the "
        "text. It is reported by its PKCS#8 form, so that a seed and the same key in PEM are one credential."
    ),
    examples=(
        Example('[binance]\napi_key = "{KEY}"\ned25519_private_key = "{ED_SEED}"', path="config.toml"),
        Example("binance:\n  private_key: {ED_SEED}", path="config.yaml"),
        Example('{"exchange": "binance", "apiKey": "{KEY}", "privateKey": "{ED_SEED}"}', path="config.json"),
        Example('from binance import Client\n\nprivate_key = "{ED_SEED}"', path="bot.py"),
    ),
    counter_examples=(
        Example("github.com/adshao/go-binance/v2 v2.4.5 h1:{B64_SHA256}", path="go.sum"),
        Example("x-mbx-uuid: {UUID}\nx-amz-cf-id: {B64_SHA256}", path="api.binance.com.log"),
        Example("ED25519_PRIVATE_KEY={B64_SHA256}", path=".env"),
        Example('# binance ed25519\npublic_key = "{B64_SHA256}"'),
        Example('binance_checksum = "{B64_SHA256}"\nprivate_key_path = "key.pem"'),
    ),
)

RULES: tuple[Rule, ...] = (
    _HMAC,
    _FUTURES_TESTNET,
    _PAY,
    _BASE64,
    _FRAGMENTS,
    _PRIVATE_KEY_PEM,
    _PRIVATE_KEY_BASE64,
    _ED25519_SEED,
)


def rule(id: str) -> Rule:
    """Return the rule of this id. Raises KeyError if there is none."""
    for known in RULES:
        if known.id == id:
            return known
    raise KeyError(id)
