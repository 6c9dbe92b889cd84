"""The words that speak for Binance: its name, hosts, headers, clients and API parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator

EXCLUDED_WORDS = frozenset(
    """
    block blockhash checksum commit crc digest etag fingerprint guid hash hashes integrity listen listenkey md5
    merkle nonce oid params rev revision sha sha256 sig signature signatures sri stream streams sum tx txhash txid
    uuid verifier
    """.split()
)
"""Names of what is never a credential: digests, signatures, identifiers."""

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
"""Words of names that tell no account from another."""

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


# The chain that bears the name (Binance Smart Chain, dex.binance.org) is not the exchange.
_NOT_THE_EXCHANGE = r"(?![\s_-]*(?:smart|chain|coin\b|dex|peg|\.org|-?bridge|labs))"
VOCABULARY = re.compile(
    rf"""binance(?:future|\.vision|\.us|\.com)?{_NOT_THE_EXCHANGE}
    | 币安 | 幣安 | 바이낸스 | バイナンス | бинанс
    | x-mbx-\w+ | UMFutures | CMFutures
    | /(?:sapi|fapi|dapi|eapi|papi)/v\d | \b(?:fapi|dapi|eapi|papi)\b(?=[./_-])
    | \brecvWindow\b | \brecv_window\b | userDataStream | \b(?:new_?listen_?key)\b
    | (?<![A-Za-z])BNB[-_/]?(?:USDT|BUSD|BTC|ETH|FDUSD|USDC)\b
    | \b(?:order\.(?:place|test|cancel)|session\.logon|account\.status)\b
    | 8=FIX\.4""",
    re.IGNORECASE | re.VERBOSE,
)
STEMS = (
    b"binance", b"x-mbx-", b"umfutures", b"cmfutures", b"/sapi/v", b"/fapi/v", b"/dapi/v", b"/eapi/v", b"/papi/v",
    b"fapi", b"dapi", b"eapi", b"papi", b"recvwindow", b"recv_window", b"userdatastream", b"newlisten", b"new_listen",
    b"bnb", b"order.", b"session.logon", b"account.status", b"8=fix.4",
)  # fmt: skip
FOREIGN_STEMS = ("币安", "幣安", "바이낸스", "バイナンス", "бинанс", "Бинанс", "БИНАНС")


def mentions(text: str, flat: bytes) -> list[tuple[int, int]]:
    """Spans of everything in the text that speaks for Binance, in order. `flat` is the text with a byte a character.

    Searches for the stems first: that is twenty passes at memory speed in place of one of the expression at a
    hundredth of it.
    """
    starts = sorted(_starts(text, flat.lower()))
    return [match.span() for start in starts if (match := VOCABULARY.match(text, start))]


def _starts(text: str, lower: bytes) -> Iterator[int]:
    for stem in STEMS:
        at = lower.find(stem)
        while at >= 0:
            yield at
            at = lower.find(stem, at + len(stem))
    if not text.isascii():
        for word in FOREIGN_STEMS:
            at = text.find(word)
            while at >= 0:
                yield at
                at = text.find(word, at + len(word))


def speaks_of_binance(text: str) -> bool:
    """Whether a short text, such as a path or a name, speaks for Binance; `_` parts words."""
    return VOCABULARY.search(text.replace("_", " ")) is not None
