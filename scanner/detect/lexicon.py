"""Lists of words by which names are read."""

from __future__ import annotations

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
