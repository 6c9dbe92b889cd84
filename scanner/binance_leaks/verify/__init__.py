"""Asks Binance about credentials: alive or not, and what they may do. The only code that opens connections.

One signed GET a credential, the least intrusive one there is. On the wire stand the API key, in a header, and a
signature; the secret signs and stays here, and of the answer only permissions and two dates are kept. Nothing is asked
before somebody builds a `Verifier` with a `Transport`; importing this package opens nothing.

    signing     HMAC, Ed25519, RSA signatures
    probes      which host and path is asked for which environment
    wire        requests, replies, and the `Transport` protocol
    transport   the one real transport, on urllib3
    answers     what a reply means
    pacing      clocks, rates, pauses, stops
    cache       verdicts of earlier runs
    plan        what would be asked, in which order
    asking      one question, with its few retries
    wording     notes in plain words
    verifier    all of it together
"""
