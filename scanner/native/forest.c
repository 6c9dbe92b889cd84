/* The delta chains of a pack: see `binance_leaks.sources.objects.delta_forest`, which says the same in Python. */
#include "objects.h"

#include <string.h>

enum { OFS_DELTA = 6 };

/* The entry that begins at an offset, NO_ENTRY if none does. */
static uint32_t entry_at(const uint64_t *offsets, uint32_t count, uint64_t offset) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (offsets[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && offsets[low] == offset ? low : NO_ENTRY;
}

/* How far before the entry at `at` the base of the delta begins; 0 if the file ends before that is said. */
static uint64_t distance_to_base(const uint8_t *data, uint64_t size, uint64_t at) {
    uint64_t offset = at;
    while (at < size && data[at] & 128)
        at++;
    if (size - at < 2)
        return 0;
    uint8_t byte = data[++at];
    uint64_t back = byte & 127;
    while (byte & 128 && back < offset) {
        if (++at >= size)
            return 0;
        byte = data[at];
        back = (back + 1) << 7 | (byte & 127);
    }
    return back;
}

typedef struct {
    Py_buffer data, offsets, base, first, following, weight;
} Layout;

static int get_layout(Layout *layout, PyObject *arguments) {
    PyObject *objects[6];
    Py_buffer *views[] = {&layout->data, &layout->offsets, &layout->base, &layout->first, &layout->following, &layout->weight};
    static const size_t items[] = {1, 8, 4, 4, 4, 8};
    if (!PyArg_ParseTuple(arguments, "OOOOOO:lay_out", &objects[0], &objects[1], &objects[2], &objects[3], &objects[4],
                          &objects[5]))
        return -1;
    for (int number = 0; number < 6; number++)
        if (get_items(objects[number], views[number], items[number]) < 0)
            return -1;
    Py_ssize_t count = layout->base.len / 4;
    bool writable = !layout->base.readonly && !layout->first.readonly && !layout->following.readonly && !layout->weight.readonly;
    if (!writable || layout->first.len != 4 * count || layout->following.len != 4 * count ||
        layout->weight.len != 8 * count || layout->offsets.len != 8 * (count + 1) || (uint64_t)count >= NO_ENTRY) {
        PyErr_SetString(PyExc_ValueError, "arrays of a number for each entry are needed");
        return -1;
    }
    return 0;
}

static PyObject *fill_layout(const Layout *layout) {
    const uint8_t *data = layout->data.buf;
    const uint64_t *offsets = layout->offsets.buf;
    uint32_t *base = layout->base.buf, *first = layout->first.buf, *following = layout->following.buf;
    uint64_t *weight = layout->weight.buf, size = (uint64_t)layout->data.len;
    uint32_t count = (uint32_t)(layout->base.len / 4);
    PyObject *result = PyBytes_FromStringAndSize(NULL, count);
    if (result == NULL)
        return NULL;
    uint8_t *types = (uint8_t *)PyBytes_AS_STRING(result);
    for (uint32_t entry = 0; entry < count; entry++) {
        uint64_t offset = offsets[entry];
        base[entry] = first[entry] = following[entry] = NO_ENTRY;
        weight[entry] = offsets[entry + 1] - offset;
        types[entry] = offset < size ? data[offset] >> 4 & 7 : 0;
        if (types[entry] != OFS_DELTA)
            continue;
        uint64_t back = distance_to_base(data, size, offset);
        uint32_t parent = back > 0 && back <= offset ? entry_at(offsets, count, offset - back) : NO_ENTRY;
        if (parent < entry) {
            base[entry] = parent;
            following[entry] = first[parent];
            first[parent] = entry;
        }
    }
    return result;
}

static PyObject *lay_out(PyObject *module, PyObject *arguments) {
    (void)module;
    Layout layout;
    memset(&layout, 0, sizeof layout);
    PyObject *types = get_layout(&layout, arguments) < 0 ? NULL : fill_layout(&layout);
    Py_buffer *views[] = {&layout.data, &layout.offsets, &layout.base, &layout.first, &layout.following, &layout.weight};
    for (int number = 0; number < 6; number++)
        if (views[number]->obj != NULL)
            PyBuffer_Release(views[number]);
    return types;
}

static PyMethodDef functions[] = {
    {"lay_out", lay_out, METH_VARARGS, "Fill in the delta chains of a pack, and return the types of its entries."},
    {NULL, NULL, 0, NULL}};

int add_forest(PyObject *module) {
    return PyModule_AddFunctions(module, functions);
}
