"""Words that are evidence for Binance, and words in names of credentials.

A table here is the only place of its words: from it follow the expressions for evidence and names, the literals that
are searched for first, and the front tests. A new word is a new row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import chain, product
from types import MappingProxyType

from binance_leaks.detect.word_search import WordSearch
from binance_leaks.lazy_dataclasses import KW_ONLY, dataclass
from binance_leaks.lazy_patterns import lazy_pattern


@dataclass(frozen=True, slots=True)
class Term:
    """Something that speaks for Binance.

    `pattern` is an expression without look-around; case does not matter. `then` must follow, `not_before` and
    `not_after` must not be there, `whole` takes whole words only. Every match begins with one of the `stems`. A plain
    word in small letters is its own stem.

    `in_names` is how the term is found in the name of a value, whose words are run together in small letters: by its
    pattern, by an expression of its own, or not at all; with `names_only` it counts nowhere else. `is_name` is for
    names of the exchange: parts of its API were copied by others.
    """

    pattern: str
    _: KW_ONLY
    then: str = ""
    not_before: str = ""
    not_after: str = ""
    whole: bool = False
    stems: tuple[str, ...] = ()
    in_names: bool | str = False
    names_only: bool = False
    is_name: bool = False
    legacy_encoding: str = ""
    examples: tuple[str, ...] = ()

    @property
    def literals(self) -> tuple[str, ...]:
        """The stems, in small letters."""
        return self.stems or (self.pattern,)

    @property
    def samples(self) -> tuple[str, ...]:
        """Texts that match; those of a plain word need not be written down."""
        return self.examples or self.literals

    @property
    def expression(self) -> str:
        """The expression with what narrows it."""
        edge = r"\b" if self.whole else ""
        before = f"(?<!{self.not_before})" if self.not_before else ""
        behind = f"(?={self.then})" if self.then else ""
        behind += f"(?!{self.not_after})" if self.not_after else ""
        return f"{edge}{before}(?:{self.pattern}){edge}{behind}"

    @property
    def name_expression(self) -> str:
        """The expression for names of values, empty if the term does not count there."""
        return self.in_names if isinstance(self.in_names, str) else self.pattern if self.in_names else ""


# The chain that bears the name (Binance Smart Chain, dex.binance.org) is not the exchange.
_CHAIN = r"[\s_-]*(?:smart|chain|coin\b|dex|peg|\.org|-?bridge|labs)"

TERMS: tuple[Term, ...] = (
    Term(
        r"binance(?:future|\.vision|\.us|\.com)?",
        not_after=_CHAIN,
        stems=("binance",),
        in_names="binance(?!smart|chain|coin(?!m)|dex)",
        is_name=True,
        examples=("binance", "https://testnet.binancefuture.com", "binance.vision", "Binance.US"),
    ),
    Term("币安", in_names=True, is_name=True, legacy_encoding="gb18030"),
    Term("幣安", in_names=True, is_name=True, legacy_encoding="big5"),
    Term("바이낸스", in_names=True, is_name=True, legacy_encoding="euc_kr"),
    Term("バイナンス", in_names=True, is_name=True, legacy_encoding="shift_jis"),
    Term("бинанс", in_names=True, is_name=True, legacy_encoding="cp1251"),
    Term("binanse", in_names=True, names_only=True),
    Term("bnc", in_names="bnc(?![a-z])", names_only=True),
    Term(r"x-mbx-\w+", stems=("x-mbx-",), in_names="mbx", examples=("X-MBX-USED-WEIGHT",)),
    Term(r"x-oc-(?:apikey|sign)", stems=("x-oc-",), examples=("X-OC-APIKEY", "X-OC-SIGN")),
    Term("umfutures", in_names=True),
    Term("cmfutures", in_names=True),
    Term(
        r"/(?:sapi|fapi|dapi|eapi|papi)/v\d",
        stems=("/sapi/v", "/fapi/v", "/dapi/v", "/eapi/v", "/papi/v"),
        examples=("/sapi/v1", "/fapi/v2", "/dapi/v1", "/eapi/v1", "/papi/v1"),
    ),
    Term(
        "fapi|dapi|eapi|papi",
        then="[./_-]",
        whole=True,
        stems=tuple(map("".join, product(("fapi", "dapi", "eapi", "papi"), "./_-"))),
        examples=("fapi.", "dapi-", "eapi/", "papi."),
    ),
    Term("recv_?window", whole=True, stems=("recvwindow", "recv_window"), examples=("recvWindow", "recv_window")),
    Term("userdatastream", examples=("userDataStream",)),
    Term(
        "new_?listen_?key",
        whole=True,
        stems=("newlisten", "new_listen"),
        examples=("newListenKey", "new_listen_key"),
    ),
    Term(
        "bnb[-_/]?(?:usdt|busd|btc|eth|fdusd|usdc)",
        not_before="[A-Za-z]",
        not_after=r"\w",
        stems=tuple(map("".join, product(("bnb",), ("", *"-_/"), ("usdt", "busd", "btc", "eth", "fdusd", "usdc")))),
        examples=("BNBUSDT", "BNB/BTC"),
    ),
    Term(
        r"order\.(?:place|test|cancel)",
        whole=True,
        stems=("order.place", "order.test", "order.cancel"),
        examples=("order.place", "order.test", "order.cancel"),
    ),
    Term(r"session\.logon", whole=True, stems=("session.logon",)),
    Term(r"account\.status", whole=True, stems=("account.status",)),
    Term(r"8=fix\.4", stems=("8=fix.4",), examples=("8=FIX.4.4",)),
)

FUTURES_WORDS = ("future", "testnet")
"""Words of the futures testnet; with them, a pair of hexadecimal values without other evidence is reported as `low`."""

BINANCE_PAY = lazy_pattern(r"binance[\s._-]?(?:agent[\s._-]?)?pay|bpay\.binanceapi|BinancePay-", re.IGNORECASE)
AGENT_PAY_NAME = lazy_pattern(r"payment_?api_?(?:key|secret)", re.IGNORECASE)
"""Names of Agent Pay's key and secret, which count where something mentions Binance."""
"""Binance Pay, of which values of base 36 need evidence. Each way to write it names the exchange."""


@dataclass(frozen=True, slots=True)
class NameWord:
    """A word in the name of a value that makes it a key, or a secret.

    `pattern` is for names whose words are run together in small letters, or joined with `_`. Wherever such a name is
    in a text, so is one of the `stems`, a space in it standing for nothing or for what separates words. A plain word
    is its own stem.
    """

    pattern: str
    _: KW_ONLY
    stems: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def literals(self) -> tuple[str, ...]:
        """The stems, in small letters."""
        return self.stems or (self.pattern,)

    @property
    def samples(self) -> tuple[str, ...]:
        """Names that match; those of a plain word need not be written down."""
        return self.examples or self.literals


def _plain(words: str) -> Iterator[NameWord]:
    return map(NameWord, words.split())


SECRET_NAMES: tuple[NameWord, ...] = (
    NameWord("secr[eèé]t", stems=("secr",), examples=("secret", "Secrèt")),
    NameWord("priv(?:ate)?_?key", stems=("priv key", "private key"), examples=("private_key", "privKey")),
    NameWord("prv(?:ate)?_?key", stems=("prv key", "prvate key"), examples=("prv_key",)),
    NameWord("secr?key", stems=("sec key", "secr key"), examples=("sec_key", "SECKEY")),
    NameWord("sek(?:r|k)?_?key", stems=("sek key", "sekr key", "sekk key"), examples=("SEKKEY", "sek_key", "sekkKey")),
    NameWord("apis_?key", stems=("apis key",), examples=("API_SKEY", "apiSKey")),
    NameWord("signingkey", stems=("signing key",), examples=("signingKey",)),
    NameWord("apisec(?![a-z])", stems=("api sec",), examples=("api_sec",)),
    NameWord("密[钥鑰匙]", stems=("密",), examples=("密钥", "密鑰")),
    NameWord("秘[钥鑰]", stems=("秘",), examples=("秘钥", "秘鑰")),
    NameWord("私[钥鑰]", stems=("私",), examples=("私钥", "私鑰")),
    NameWord("clave_?privada", stems=("clave privada",), examples=("clave privada",)),
    NameWord("chave_?privada", stems=("chave privada",), examples=("chave_privada",)),
    *_plain("secert sercet secrect secreat screct scecret sceret secrt"),
    *_plain("sekret segret segredo sicret секрет приватн gizli geheim tajn titkos hemlig rahasia"),
    *_plain("秘密 シークレット 시크릿 비밀 bímật bimật bímat bimat سري مخفی محرمانه סודי"),
)
SECRET_WORDS = frozenset("sec sk skey scrt secretkey apis apisk".split())
"""Whole words of names that mean a secret."""
WEAK_SECRET_WORDS = frozenset("pass password passwd pwd".split())
"""The same, of names that mean many other things too."""

KEY_NAMES: tuple[NameWord, ...] = (
    NameWord("api_?key", stems=("api key",), examples=("api_key", "apiKey")),
    NameWord("access_?key", stems=("access key",), examples=("access-key",)),
    NameWord("pub(?:lic)?_?key", stems=("pub key", "public key"), examples=("pubKey", "public_key")),
    NameWord("key_?id", stems=("key id",), examples=("key_id", "keyId")),
    NameWord("mbx"),
    NameWord("certificatesn", stems=("certificate sn",), examples=("certificateSN", "certificate-sn")),
    NameWord("公[钥鑰]", stems=("公",), examples=("公钥", "公鑰")),
    NameWord("(?:api|апи)_?ключ", stems=("ключ",), examples=("API ключ", "апи_ключ")),
    NameWord("api_?schlüssel", stems=("api schlüssel",), examples=("API-Schlüssel",)),
    NameWord("api_?anahtar", stems=("api anahtar",), examples=("api anahtar",)),
    NameWord("clave_?api", stems=("clave api",), examples=("clave_api",)),
    NameWord("chave_?api", stems=("chave api",), examples=("chave API",)),
    NameWord("cl[eé]_?api", stems=("cle api", "clé api", "cl api"), examples=("clé API",)),
    NameWord("apiキー", stems=("api キー",), examples=("APIキー",)),
    NameWord("api키", stems=("api 키",), examples=("API 키",)),
)
KEY_WORDS = frozenset(
    """
    key keys apikey apikeys apik ak pk ключ 키 キー anahtar clave chave kunci klucz مفتاح المفتاح کلید chiave sleutel
    nyckel kulcs
    """.split()
)
"""Whole words of names that mean a key."""
WEAK_KEY_WORDS = frozenset("access api apitoken id user username login account accounts credential".split())
"""The same, of names that mean many other things too."""
KEY_ENDING = lazy_pattern("api_?密[钥鑰匙]$")
"""The end of a name of a key, though what it ends in means a secret elsewhere."""
FIX_USERNAME = "553"
"""The field of a FIX logon that holds the API key."""
API_NAMES = ("api", "access", "mbx", "binance", "certificatesn")
"""What in a name makes it clear that a key or a secret is that of an API."""
LEGACY_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gb18030": ("密钥", "私钥", "秘钥", "公钥"),
        "big5": ("密鑰", "私鑰", "公鑰"),
        "shift_jis": ("秘密鍵", "シークレット", "キー"),
        "euc_kr": ("시크릿", "비밀", " 키"),
        "cp1251": ("ключ", "секрет", "Секрет", "Ключ"),
    }
)
"""Encodings other than Unicode, with the words of names by which a text is known to be in one."""

EXCLUDED_WORDS = frozenset(
    """
    block blockhash checksum commit crc digest etag fingerprint guid hash hashes integrity listen listenkey md5
    merkle nonce oid params rev revision sha sha256 sig signature signatures sri stream streams sum tx txhash txid
    uuid verifier
    """.split()
)
"""Names of what is never a credential: digests, signatures, identifiers."""

CLIENT_WORDS = tuple(
    "api binance client clients connector connection credential credentials exchange factory futures margin options "
    "rest spot".split()
)
"""How the last word of a class or function ends that makes a client of a key and a secret."""

FOREIGN_EXCHANGES = frozenset(
    """
    aevo alpaca ascendex asterdex backpack biconomy bigone bingx bitbank bitbns bitfinex bitflyer bitget bithumb
    bitmart bitmex bitopro bitpanda bitrue bitso bitstamp bitteam bittrex bitunix bitvavo blofin btcmarkets btcpay
    btcturk bullish bybit bydfi cexio coinbase coincheck coindcx coinex coinone coinpayments cointr cryptocom
    cryptocompare deepcoin deribit digifinex dydx exmo fameex ftx gateio gemini gopax hashkey hitbtc hotcoin htx
    huobi hyperliquid independentreserve indodax itbit kcex koinbx korbit kraken kucoin latoken lbank liquid luno
    mexc moonpay nicehash novadax nowpayments oanda okex okx orderly ourbit paradex paribu paxos phemex pionex
    poloniex probit quoine tapbit tokocrypto toobit upbit wazirx weex whitebit woox yobit zaif zebpay
    """.split()
)
"""Other exchanges and payment services."""

FOREIGN_PURPOSES = frozenset(
    """
    aes alchemy algolia anthropic aws azure bearer bscscan cloudflare cmc coingecko coinmarketcap cookie
    cryptocompare csrf cursor datadog discord django docker encrypt encryption ethereum etherscan fernet finnhub
    firebase flask github gitlab glassnode google infura jwt mailgun mnemonic mongo moralis mysql newsapi nextauth
    npm oauth openai pagination pepper polygonio postgres quandl recaptcha redis refresh salt sendgrid sentry
    session slack solana stripe supabase taapi telegram tiingo trace twilio twitter wallet webhook
    """.split()
)
"""Other services and other kinds of secrets."""

FOREIGN_SERVICES = frozenset(
    """
    adyen artifactory auth0 braintree bugsnag cloudinary cognito consumer devise dropbox facebook hasura heroku hubspot
    instagram jfrog keycloak laravel linkedin mailchimp mailjet mixpanel netsuite newrelic okta onesignal paypal phoenix
    postmark pusher quickbooks rails rollbar salesforce shopify snyk sonarqube sparkpost spotify supertokens symfony
    tiktok vonage woocommerce wordpress zendesk
    """.split()
)
"""Other services with keys of their own, which have nothing to do with trading."""

FRAMEWORK_SECRETS = lazy_pattern(
    r"secret_key_base|(?:better_)?auth_secret$|signing_salt|live_view|(?:cookie|session)_secret|secret_token$|hash_salt"
)
"""Names of secrets with which frameworks for the web sign cookies and tokens, in small letters joined with `_`."""
BARE_FRAMEWORK_SECRETS = frozenset({"secret_key", "app_key", "app_secret", "settings_secret_key", "django_secret"})
"""The same where a file has marks of a framework: alone these names say too little."""
FRAMEWORK_MARKS = lazy_pattern(
    r"(?i:django)|INSTALLED_APPS|ALLOWED_HOSTS|ROOT_URLCONF|SQLALCHEMY_|FLASK_APP|FLASK_ENV|app\.config\[|NEXTAUTH_URL"
    r"|Rails\.application|(?i:laravel)|Phoenix|APP_URL=|APP_NAME=|SESSION_DRIVER"
)
"""What is in files with the settings of a framework."""
BARE_API_KEY = lazy_pattern(r"(?<![\w-])[\"'$]?api[_-]?key[\"']?\s{0,20}[:=]", re.IGNORECASE)
"""A bare `API_KEY`, whose other half a bare `SECRET_KEY` beside it is."""

SERVICE_ACCOUNT = lazy_pattern(r"service_account\b|gserviceaccount\.com|client_x509_cert_url")
"""What is in the key file of a Google service account."""

ELLIPTIC_CURVES = lazy_pattern(
    r"ecdsa|secp256[kr]1|elliptic|ecies|curve25519|keccak|hextoecdsa|schnorr|bls12|ed25519", re.IGNORECASE
)
"""What is in code about elliptic curves, whose private keys are 64 hexadecimal digits."""

STEMLESS_WORDS = frozenset(
    """
    access accesskey account add ak api apikey apikeys apis apisecret auth binance binanceapi binanceapikey
    binanceapisecret binancesecret binancesecretkey bnc c certificate client config const credential credentials
    creds data def default define env environ exchange export final get getenv hmac id in is it k key keys let mbx
    merchant my name new options opts os our p params pass password pem private privatekey privkey process pub
    pubkey public put s sec seckey secret secretkey secrets self set settings setx sk skey sn static str string the
    this token user username val value var with x your
    """.split()
)
"""Words of names that do not distinguish accounts."""

INDISTINCT_WORDS = frozenset(
    """
    a an and another bar baz first foo former four half here item last latter left line number one other part right
    second string text that the then thing third this three two val value values var
    eins erste erster erstes zwei zweite zweiter zweites primer primero primera segundo segunda premier deuxième
    """.split()
)
"""Words that count things and do not say what they are."""

NOISE_WORDS = frozenset(
    """
    a an and arc are as b be box br buffer.from byte bytes bytes.fromhex char const content decrypt default
    default_value defaultvalue description env equals es est f fallback flag.string for from help here initialvalue
    inputvalue into is ist just kind l literal mut my n new now nsstring obj option optional.of or our placeholder
    plaintext profile pydantic.secretstr q r rb readonly ref required s secretstr secretstring secure send sensitive
    ser set some std std::string std::string::from std::wstring str str.encode string string.from string.init
    string::from stringvalue t text text.encode the to to_string trim type u u8 v val value varchar was with wstring
    x your é это です は 为 是 為
    """.split()
)
"""Identifiers that name nothing: types, wrappers, small words between a name and its value."""


_IN_TEXT = tuple(term for term in TERMS if not term.names_only)


def _any_of(expressions: Iterable[str], flags: int = 0) -> re.Pattern[str]:
    return lazy_pattern("|".join(filter(None, expressions)), flags)


def _spellings(word: str) -> list[str]:
    """A word in small letters, capitalised and in capitals, each once."""
    return list(dict.fromkeys((word, word.capitalize(), word.upper())))


def encoded(word: str) -> list[bytes]:
    """A literal as bytes: one in ASCII as it is, any other in each spelling and in each encoding that has it."""
    if word.isascii():
        return [word.encode()]
    found: dict[bytes, None] = {}
    for spelling, encoding in product(_spellings(word), ("utf-8", *LEGACY_NAMES)):
        with suppress(UnicodeEncodeError):
            found[spelling.encode(encoding)] = None
    return list(found)


VOCABULARY = _any_of((term.expression for term in _IN_TEXT), re.IGNORECASE)
"""Everything in a text that speaks for Binance."""
BINANCE_IN_NAMES = _any_of(term.name_expression for term in TERMS)
"""What in a name of a value speaks for Binance; its words are run together in small letters."""
EXCHANGE_NAME = _any_of((term.expression for term in _IN_TEXT if term.is_name), re.IGNORECASE)
"""The name of the exchange."""
_LITERALS = tuple(literal for term in _IN_TEXT for literal in term.literals)
_STEMS = WordSearch([literal.encode() for literal in _LITERALS if literal.isascii()])
_NON_ASCII_STEMS = tuple(spelling for literal in _LITERALS if not literal.isascii() for spelling in _spellings(literal))
SECRET_IN_NAMES = _any_of(word.pattern for word in SECRET_NAMES)
"""Words in a name that make the value a secret."""
KEY_IN_NAMES = _any_of(word.pattern for word in KEY_NAMES)
"""Words in a name that make the value a key."""
API_IN_NAMES = _any_of(API_NAMES)
"""Words in a name that make the value that of an API."""
LEGACY_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        encoding: (
            *words,
            *(spelling for term in TERMS if term.legacy_encoding == encoding for spelling in _spellings(term.pattern)),
        )
        for encoding, words in LEGACY_NAMES.items()
    }
)
"""Words by which a text is known to be in an encoding other than Unicode."""


@cache
def evidence_stems() -> tuple[bytes, ...]:
    """Return literals in small letters, one of which is in all evidence for Binance and for its futures testnet.

    These and those of names are made when they are asked for, as that loads the codecs of five encodings.
    """
    return tuple(dict.fromkeys(stem.lower() for literal in (*_LITERALS, *FUTURES_WORDS) for stem in encoded(literal)))


@cache
def secret_stems() -> tuple[bytes, ...]:
    """Return literals in small letters, one of which is in the name of a secret."""
    return _name_stems((*_SECRET_LITERALS, "private", *sorted(SECRET_WORDS | WEAK_SECRET_WORDS)))


@cache
def clear_name_stems() -> tuple[bytes, ...]:
    """Return literals in small letters, one of which is in a name that makes clear that the value is a credential."""
    return _name_stems(
        (
            *API_NAMES,
            FIX_USERNAME,
            *_SECRET_LITERALS,
            *(literal for word in KEY_NAMES for literal in word.literals),
            *(f"{word} key" for word in sorted(SECRET_WORDS)),
        )
    )


def _name_stems(literals: Iterable[str]) -> tuple[bytes, ...]:
    """Literals as bytes in small letters, with all that may separate their words, in each encoding."""
    parted = dict.fromkeys(
        literal.replace(" ", between) for literal in literals for between in ("", "_", "-", " ", ".")
    )
    return tuple(dict.fromkeys(stem.lower() for literal in parted for stem in encoded(literal)))


_SECRET_LITERALS = tuple(literal for word in SECRET_NAMES for literal in word.literals)


def mentions(text: str, flat: bytes) -> list[tuple[int, int]]:
    """Return the spans of everything in the text that speaks for Binance, in order.

    `flat` is the text with a byte a character. Searches for the stems first, since the expression is slow.
    """
    starts = set(chain.from_iterable(_STEMS.places(flat)))
    if not text.isascii():
        starts.update(match.start() for word in _NON_ASCII_STEMS for match in re.finditer(word, text))
    return [match.span() for start in sorted(starts) if (match := VOCABULARY.match(text, start))]


def name_mentions_binance(text: str) -> bool:
    """Whether a short text, such as a path or a name, mentions Binance; `_` separates words."""
    return VOCABULARY.search(text.replace("_", " ")) is not None
