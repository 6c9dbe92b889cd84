/* The first test on every byte of a scan: see `binance_leaks.detect.sieve`. */
#include "native.h"

int add_search(PyObject *module) {
    (void)module;
    return 0;
}
