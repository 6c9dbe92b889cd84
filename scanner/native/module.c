/* binance_leaks._native: what is pure work per byte and per object.

   Its input is hostile. Every offset is checked before it is read, every size before it is allocated, and nothing
   here decides about a credential: it says where Python has to look. `_native.pyi` describes each name. */
#include "native.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static PyObject *trim(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(arguments)) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"trim", trim, METH_NOARGS, "Give the memory that was freed back to the system."}, {NULL, NULL, 0, NULL}};

static int execute(PyObject *module) {
    const char *pure = getenv("BINANCE_LEAKS_PURE");
    if (pure != NULL && *pure != '\0') {
        PyErr_SetString(PyExc_ImportError, "switched off by BINANCE_LEAKS_PURE");
        return -1;
    }
    return add_search(module) < 0 || add_objects(module) < 0 ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_native", .m_doc = "What is pure work per byte and per object.", .m_methods = functions,
    .m_slots = slots};

PyMODINIT_FUNC PyInit__native(void) {
    return PyModuleDef_Init(&definition);
}
