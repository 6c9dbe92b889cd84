/* What the readers of packs share: `objects.c` walks the delta trees of a pack and shows each object to a function. */
#ifndef BINANCE_LEAKS_OBJECTS_H
#define BINANCE_LEAKS_OBJECTS_H

#include "native.h"

#define NO_ENTRY UINT32_MAX

/* A part of an object: from `start` to before `end`. */
typedef struct {
    size_t start, end;
} Span;

typedef struct {
    Span *items;
    size_t count, capacity;
} Spans;

/* A pack with the forest of its deltas: see `DeltaForest`. */
typedef struct {
    PyObject_HEAD
    Py_buffer data;
    Py_buffer offsets;          /* uint64: where each entry begins, and at last where the entries end */
    Py_buffer first, following; /* uint32 for each entry, or NO_ENTRY */
    uint32_t count;
    Py_ssize_t id_size;
    PyObject *inflate;    /* (memoryview, size) to bytes */
    PyObject *decompress; /* the same for a size that is not 0, unchecked and faster; may be `inflate` */
    PyObject *errors;     /* what both raise for what is damaged */
    uint64_t largest, most_held, most_inflated, most_copied;
} DeltaTrees;

/* How much is shown of what surrounds a change: see `ContextSizes`. */
typedef struct {
    int64_t before, behind;
} Around;

/* An object on its way through a walk. */
typedef struct {
    uint32_t entry;
    PyObject *content; /* bytes or bytearray */
    const uint8_t *data;
    size_t size;
    const Spans *fresh; /* what its base does not have, ascending; one span for all of it */
    int64_t inherited;  /* what the look at its base gave, 0 without one */
} Object;

/* Looks at an object, and returns what its deltas inherit, or -1 with an exception set. */
typedef int64_t (*Look)(void *context, Object *object);

/* Shows all objects of some delta trees to a function: see `walk_delta_trees`. `around` may be NULL, then all of each
   object is fresh. Returns (objects, size, left, forged), or NULL with an exception set. */
PyObject *walk(DeltaTrees *trees, PyObject *roots, PyObject *wanted, PyObject *needed, const Around *around, Look look,
               void *context);

bool is_delta_trees(PyObject *object);

/* Makes bytes of an object that is a bytearray, which Python could change. -1 with an exception set if that fails. */
int as_bytes(Object *object);

/* A method of DeltaTrees in `commits.c`. */
PyObject *visit_messages(DeltaTrees *trees, PyObject *arguments);

/* Add a type, and the types and functions of a file, to the module. -1 with an exception set if that fails. */
int add_type(PyObject *module, PyType_Spec *spec);
int add_forest(PyObject *module);
int add_trees(PyObject *module);

/* Gets a contiguous buffer of aligned items of a size. -1 with an exception set if it is none. */
int get_items(PyObject *object, Py_buffer *view, size_t item);

/* Room for one more item in a growing array; NULL with an exception set if there is none. */
void *grown(void *items, size_t count, size_t *capacity, size_t item);

#endif
