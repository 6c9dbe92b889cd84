/* Objects of packs: see `binance_leaks.sources.objects`. */
#include "native.h"

int add_objects(PyObject *module) {
    (void)module;
    return 0;
}
