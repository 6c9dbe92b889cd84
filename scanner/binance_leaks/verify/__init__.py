"""Check credentials with Binance: active or not, and what they can do.

The only code that opens connections.

One signed GET per credential, the least intrusive one (`binance_leaks.environments`). The request holds the API key, in
a header, and a signature; the secret signs and is not sent, but for the exception of `Limits.swapped`. Only permissions
and two dates of an answer are kept. Nothing is sent before a `Verifier` is built with a `Transport`; importing this
package opens nothing.

    plan        which credentials are checked, with which secrets, on which hosts
    verifier    runs the plan
    request     one attempt, with its few retries
    signing     HMAC, Ed25519, RSA signatures
    rate_limit  clocks, rates, pauses, stops
    http_types  requests, replies, and the `Transport` protocol
    transport   the one real transport, on urllib3
    responses   what a reply means
    notes       notes in plain English
    cache       verdicts of earlier runs
"""
