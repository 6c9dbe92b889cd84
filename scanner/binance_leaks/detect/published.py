"""Published example values, by digest: from documentation and from client tests."""

from __future__ import annotations

_DOCUMENTED = frozenset(
    {
        "038653e6d13445a3507c91c04874ccf2cb25e6078eac728ccf915a1d1e8706bd",
        "09e59e63ee59f4f16875000cd3c33690f130ceab4aff3b75c96e8e88836f1b8a",
        "0c1cc8ea05afd55a92ed4f3ca2269ee35cae1b8aa6ba13a1c88ac4214f41e69f",
        "163479d8466a420a6e9b343c136cc1398afa1d1498849c99ecd59c8cecf86874",
        "1fbf6d20358e3554bec0ce4baf6ddd166cdc09e02b14833151082dd81ac2a2df",
        "1fe770fcace1109056c6e16f40e7b64234e62e6fdd3d13ff6a6fc856b99819f9",
        "23e9efa3ced6e70c7f2dbe0d08295f18f94b0cbd5c6026677e3bc51897ee31f2",
        "2650745bb746403de0349bb468926a38ce2d7b8f771d81f73f8c3a832647e260",
        "2bf262f10f18d41f1d1822402ead34cd4705baf62a59f782c1dc18dccc03fb0b",
        "386028c139110266dcb868be85e408809f50dd7a843638c2b694a6fa1a679929",
        "39ff0e019884d7e62dfe1adeb9093bd02485c092f2d00318e5f8475e90ea9581",
        "3ace0da1f0e32affb8240a438f06964af778af285ade589f787a8862181f3c5a",
        "3b76d52c452446111712fa1a02da33ede27938e6e2ba943f514f3929b837f043",
        "3cdf0b83920e5951a133ea4471392a43dd5d2fe06ed43a10d415f130843c32ab",
        "3dc1adcf0fa055b2b2d0cbf5faba2bb243bfb6f9f90fb7537b7c1f5a1c4b3b59",
        "46c9ac9ccf18521f1422d1d198e2dcb326315cc14b6e9228e774e32220ea54dc",
        "528317b80ddddf67ca17f421cf4cf1268c7dac90d65c7ac8d2260ad9ee179757",
        "5761ecfd2239d284ccfd5aeb29621653335f7a69af5a2176ae2c86a512674665",
        "5ba1ed8425baaa72d558afddb8aaacdfe29ad0dc1a44dae76640127e83626d29",
        "6a2f10e571ba3c7fcb0253911d1a3a40a70dac0793b7dea4b52bbd11775610fb",
        "6ea05159099a1f9784b9a678a9f54ad27d75b6ed171256bdeb4cbbc092edfc82",
        "6fd2063f1cd370c21f4d8e65c50d84c9c19bd87f10c7d134f9ce714e292aeee2",
        "88a07940499df805e429410fb07b23408a5375962ad3960210e7c2c7aac67779",
        "8988c60ac0be43a2adee594559e75784a0e6e9eb7f0be38c19d3cd7ea08a0e0f",
        "99e4a93125ad88559c7dbf51aa3e66301440f4e6c51fc59a88d8af0f348a350b",
        "9cd8af77c9ba453389dec726d31425ea880a9df1081f613f22dbb0c562fe9351",
        "afcb22df3b7b1e056900e6cd2b1cd27cd6bc64a8aeac4016d96c214362c7137a",
        "c2cdb5350be92a49d4d191ad931ad58083eb11cf4b96efc0a8256341faf79cce",
        "d220e908b229c75ec9dc9d8a156b4e9350aae804a50001d8e745bced16f5eb85",
        "d996d642dd7d8ff19759fd9ccf1037d9979a6bcf29af9add09654ed8008c92df",
        "dda7ecd568b230e7ac4fe9f94195cd20e9f6f4fd25e991d7abf8a0dacd610fa7",
        "e031e4ca7b8238b83840b909ed23c76f26299bfb04689e3564939d18a6edddd3",
        "e5c4fa101d4ee0a4730a555f5b8c0384ae0e8e0712698f35bf096c277121d022",
        "e6332270b07efd912aa582c5229da1dada9d23835abccc0a85077e51a64ce910",
        "e913b2d618bc45f167e08b53b0b68d26f8c4b03666499f2310344eccf031bf0b",
        "f70a225fd07a0050137e0a9dcf2d366ff495fbad326f182eb5104bbeb99dd537",
        "fc5a6c54a2079828a413a5700719d35e9e0b7e5035e8a371eedd56b39ef82f27",
    }
)
"""Binance's documents: spot, margin, futures, options, portfolio margin, WebSocket API and FIX."""
_CONNECTOR_TESTS = frozenset(
    {
        "044916c064312f83671e0bb427b8c9b70ad0f01cb1390c1fc7ca19c09acc0a3b",
        "211fc3a106132981938ca49bff18c4dd5568e0f5d18fa8b2bb43ecd0f2b6014a",
        "260377fa76ee70da5075ea54f56e3ea5853fce5bc92598a11310f5e511ce127f",
        "328361c21e41d2d9bf6cb6e287152e8323bf60004003308a5c35848f1c17e321",
        "476e192662589d61194eedded2cd3309ab942471e2b309a15e5994bdc3f85a2b",
        "4b66093dff5923150526f2a1e0a044edd817dc439a22797835f0f046813088a7",
        "5769b48cf33699d2dc210ea092f28fa9dc6f7cf3017a798162d2665b0393010a",
        "72f21afa8392f101a078d4dd1ef9fcea2a0739be55653632fb89b84c1598aa21",
        "ac7fcf740d2abf6b5a2274f4d1cb6543783a5185aba1e44ca5408d1fb8ca17d8",
        "ac9ed2cbcb0301e959b05d4c21a51b2c5405c106aed5bf8b292c9fd969533afb",
        "bbec5fbb2fd563b21416164bc4c299578191bc805e586f59c784006738e9018f",
        "c2242140f15ceee1aebda3f3c2030e8e96d88d9c58645712052b54aec0cb60cb",
        "c5795cc855035840d6a33a81b2565fe3035168db08c007c828394e48e9efdb32",
    }
)
"""The tests of Binance's own connectors. What somebody pasted into one of their examples is a leak."""
_PYTHON_BINANCE_TESTS = frozenset(
    {
        "060a0973c62cb1eab32d90abb95900a13ba84ecc37fd10ebb6a9b110332f9c3a",
        "245c773a8b1271e147bcd3231f6d9f57f505466609b61965736a56bc7abae751",
        "26c6191f354cc25dce7b632a3071b963ea51601c392b5671bac204c69f4c0fe9",
        "510e63420997f25d3fa3fed1cf4b57b9a2e91fa9cded853d26de2dd30fcdb38d",
        "7af693e91ebc364debefb385a04544a7140afda7f09472bdaa31bdcfd36c8384",
        "869c21d50d4cc7febc1b41fee0e561af5f343bfd6fd511f8a4fd09b11575540d",
        "9230af73256108342425bd9135559c3b16632596e106fb4d80c455f276bdf943",
    }
)
"""The tests of python-binance."""


def published_as(sha256: str) -> str | None:
    """Where a value was published, as words that follow "published in"; None if it is not known.

    Takes the SHA-256 of a value, of a private key that of its DER bytes, in lower-case hex, as `Value.sha256` has it.
    """
    if sha256 in _DOCUMENTED:
        return "Binance's own documentation"
    if sha256 in _CONNECTOR_TESTS:
        return "the tests of Binance's own connectors"
    if sha256 in _PYTHON_BINANCE_TESTS:
        return "the tests of python-binance"
    return None
