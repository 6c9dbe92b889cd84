/* What the parts of the compiled module share. */
#ifndef BINANCE_LEAKS_NATIVE_H
#define BINANCE_LEAKS_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The traits of some bytes as bits, 0 for nothing; -1 with an exception set if `search` is no `Search`. */
int64_t search_traits(PyObject *search, const uint8_t *data, size_t size);

/* Whether a version must be looked at more closely: see `binance_leaks.detect.first_test.must_look`. */
bool must_look(int64_t inherited, int64_t seen);

/* Add the types and functions of a part to the module. -1 with an exception set if that fails. */
int add_search(PyObject *module);
int add_objects(PyObject *module);

#endif
