/* What the parts of the compiled module share. */
#ifndef BINANCE_LEAKS_NATIVE_H
#define BINANCE_LEAKS_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Add the types and functions of a part to the module. -1 with an exception set if that fails. */
int add_search(PyObject *module);
int add_objects(PyObject *module);

#endif
