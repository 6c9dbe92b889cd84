/* Objects of packs: see `binance_leaks.sources.objects.walk`, which says the same in Python. */
#include "objects.h"

#include <string.h>

#define ENTRIES_BETWEEN_SIGNALS 256

void *grown(void *items, size_t count, size_t *capacity, size_t item) {
    if (count < *capacity)
        return items;
    size_t wanted = *capacity < 16 ? 16 : *capacity + *capacity / 2;
    if (wanted > (size_t)PY_SSIZE_T_MAX / item) {
        PyErr_NoMemory();
        return NULL;
    }
    void *more = PyMem_Realloc(items, wanted * item);
    if (more == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    *capacity = wanted;
    return more;
}

int get_items(PyObject *object, Py_buffer *view, size_t item) {
    if (PyObject_GetBuffer(object, view, PyBUF_ND) < 0)
        return -1;
    if (view->itemsize != (Py_ssize_t)item || (view->len > 0 && (uintptr_t)view->buf % item != 0)) {
        PyErr_Format(PyExc_TypeError, "an array of items of %zu bytes is needed", item);
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

/* ---- reading an entry ---- */

/* What became of an attempt to make an object. LEFT: git has to read it. FORGED: nobody should. */
typedef enum { MADE, LEFT, FORGED, FAILED } Outcome;

/* The outcome of an exception: what is damaged, or does not fit into memory, is left to git. */
static Outcome outcome_of_error(DeltaTrees *trees) {
    if (PyErr_ExceptionMatches(trees->errors)) {
        PyErr_Clear();
        return LEFT;
    }
    return FAILED;
}

static const uint8_t *bytes_of(PyObject *content, size_t *size) {
    if (PyBytes_CheckExact(content)) {
        *size = (size_t)PyBytes_GET_SIZE(content);
        return (const uint8_t *)PyBytes_AS_STRING(content);
    }
    *size = (size_t)PyByteArray_GET_SIZE(content);
    return (const uint8_t *)PyByteArray_AS_STRING(content);
}

static Outcome inflated(DeltaTrees *trees, const uint8_t *packed, size_t length, uint64_t size, PyObject **content) {
    PyObject *view = PyMemoryView_FromMemory((char *)packed, (Py_ssize_t)length, PyBUF_READ);
    PyObject *number = PyLong_FromUnsignedLongLong(size);
    PyObject *made = NULL;
    if (view != NULL && number != NULL) {
        PyObject *arguments[] = {view, number};
        made = PyObject_Vectorcall(size ? trees->decompress : trees->inflate, arguments, 2, NULL);
    }
    Py_XDECREF(view);
    Py_XDECREF(number);
    if (made == NULL)
        return outcome_of_error(trees);
    if (!PyBytes_CheckExact(made) && !PyByteArray_CheckExact(made)) {
        Py_DECREF(made);
        PyErr_SetString(PyExc_TypeError, "inflated data must be bytes");
        return FAILED;
    }
    size_t got;
    bytes_of(made, &got);
    if (got != size) {
        Py_DECREF(made);
        return LEFT;
    }
    *content = made;
    return MADE;
}

/* Whether a size is more than is held, and whether it cannot be: `most` is what one of `from` bytes can become. */
static Outcome check_size(DeltaTrees *trees, uint64_t size, uint64_t from, uint64_t most) {
    if (size <= trees->largest)
        return MADE;
    return from > UINT64_MAX / most || size <= from * most ? LEFT : FORGED;
}

/* What an entry holds: an object, or a delta. */
static Outcome unpacked(DeltaTrees *trees, uint32_t entry, bool delta, PyObject **content) {
    const uint8_t *data = trees->data.buf;
    const uint64_t *offsets = trees->offsets.buf;
    uint64_t length = (uint64_t)trees->data.len;
    uint64_t start = offsets[entry], end = offsets[entry + 1], at = start;
    if (start > end || end > length || start >= length)
        return LEFT;
    uint8_t lead = data[at++], byte = lead;
    uint64_t size = byte & 15;
    for (int shift = 4; byte & 128 && shift < 60; shift += 7) {
        if (at >= length)
            return LEFT;
        byte = data[at++];
        size |= (uint64_t)(byte & 127) << shift;
    }
    Outcome checked = check_size(trees, size, end - start, trees->most_inflated);
    if (checked != MADE)
        return checked;
    if (delta && (lead & 0x70) == 0x60) { /* how far before it its base begins: the forest knows */
        do {
            if (at >= length)
                return LEFT;
        } while (data[at++] & 128);
    } else if (delta) {
        at += (uint64_t)trees->id_size;
    }
    return inflated(trees, data + (at < end ? at : end), at < end ? (size_t)(end - at) : 0, size, content);
}

/* ---- deltas ---- */

/* A size at the beginning of a delta. What does not fit becomes the largest number, which no size is. */
static bool read_size(const uint8_t *delta, size_t length, size_t *at, uint64_t *size) {
    uint64_t value = 0;
    bool fits = true;
    for (int shift = 0;; shift += 7) {
        if (*at >= length || shift > 63)
            return false;
        uint8_t byte = delta[(*at)++];
        uint64_t bits = byte & 127;
        fits = fits && bits << shift >> shift == bits;
        value |= bits << shift;
        if (byte < 128) {
            *size = fits ? value : UINT64_MAX;
            return true;
        }
    }
}

/* Joins a changed place to those before it, which begin and end no later. */
static int add_change(Spans *spans, int64_t low, int64_t high) {
    size_t start = low > 0 ? (size_t)low : 0;
    if (spans->count > 0 && start <= spans->items[spans->count - 1].end) {
        spans->items[spans->count - 1].end = (size_t)high;
        return 0;
    }
    Span *items = grown(spans->items, spans->count, &spans->capacity, sizeof(Span));
    if (items == NULL)
        return -1;
    spans->items = items;
    items[spans->count++] = (Span){start, (size_t)high};
    return 0;
}

static int set_whole(Spans *spans, size_t length) {
    spans->count = 0;
    return add_change(spans, 0, (int64_t)length);
}

/* One instruction of a delta: what it copies from `offset` of the base, or inserts, from `offset` of the delta. */
typedef struct {
    bool copies;
    size_t offset, size;
} Instruction;

static bool read_instruction(const uint8_t *delta, size_t length, size_t *at, Instruction *instruction) {
    uint8_t code = delta[(*at)++];
    if (code < 128) {
        *instruction = (Instruction){false, *at, code};
        if (code == 0 || code > length - *at)
            return false;
        *at += code;
        return true;
    }
    uint32_t offset = 0, size = 0;
    for (int bit = 0; bit < 7; bit++) {
        if (code & (1 << bit)) {
            if (*at >= length)
                return false;
            uint32_t byte = delta[(*at)++];
            if (bit < 4) {
                offset |= byte << (8 * bit);
            } else {
                size |= byte << (8 * (bit - 4));
            }
        }
    }
    *instruction = (Instruction){true, offset, size ? size : 0x10000};
    return true;
}

/* The object that a delta makes of its base, and, unless `around` is NULL, what of it the base does not have. */
static Outcome applied(DeltaTrees *trees, PyObject *base_object, PyObject *delta_object, const Around *around,
                       Spans *fresh, PyObject **content) {
    size_t base_size, length, at = 0;
    const uint8_t *base = bytes_of(base_object, &base_size), *delta = bytes_of(delta_object, &length);
    uint64_t declared_base, size;
    if (!read_size(delta, length, &at, &declared_base) || !read_size(delta, length, &at, &size))
        return LEFT;
    Outcome checked = check_size(trees, size, length, trees->most_copied);
    if (checked != MADE)
        return checked;
    if (declared_base != base_size)
        return LEFT;
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (result == NULL)
        return outcome_of_error(trees);
    uint8_t *out = (uint8_t *)PyBytes_AS_STRING(result);
    size_t made = 0;
    int64_t expected = 0; /* where in the base the next byte would go on */
    fresh->count = 0;
    while (at < length) {
        Instruction each;
        if (!read_instruction(delta, length, &at, &each) || each.size > size - made ||
            (each.copies && (each.offset > base_size || each.size > base_size - each.offset))) {
            Py_DECREF(result);
            return LEFT;
        }
        memcpy(out + made, (each.copies ? base : delta) + each.offset, each.size);
        bool goes_on = each.copies && (int64_t)each.offset == expected;
        if (around != NULL && !goes_on &&
            add_change(fresh, (int64_t)made - around->before,
                       (int64_t)(made + (each.copies ? 0 : each.size)) + around->behind) < 0) {
            Py_DECREF(result);
            return outcome_of_error(trees);
        }
        expected = each.copies ? (int64_t)(each.offset + each.size) : -1;
        made += each.size;
    }
    if (made != size) {
        Py_DECREF(result);
        return LEFT;
    }
    if (around != NULL && expected != (int64_t)base_size && /* the base went on where this ends */
        add_change(fresh, (int64_t)size - around->before, (int64_t)size) < 0) {
        Py_DECREF(result);
        return outcome_of_error(trees);
    }
    for (size_t number = 0; number < fresh->count; number++)
        if (fresh->items[number].end > size)
            fresh->items[number].end = (size_t)size;
    if (around == NULL && set_whole(fresh, (size_t)size) < 0) {
        Py_DECREF(result);
        return outcome_of_error(trees);
    }
    *content = result;
    return MADE;
}

/* ---- the walk ---- */

/* An object whose deltas wait, with the next of them. */
typedef struct {
    PyObject *content;
    int64_t inherited;
    uint32_t next;
} Frame;

typedef struct {
    DeltaTrees *trees;
    const uint8_t *wanted, *needed; /* a byte for each entry, or both NULL: see EntrySelection */
    const Around *around;
    Look look;
    void *context;
    Spans fresh;
    Frame *frames; /* those from `bottom` on */
    size_t bottom, count, capacity;
    uint64_t held; /* bytes of their objects */
    uint64_t steps, objects, size;
    PyObject *left, *forged;
} Walk;

static uint32_t next_needed(const Walk *walk, uint32_t entry) {
    const uint32_t *following = walk->trees->following.buf;
    while (entry < walk->trees->count && walk->needed != NULL && !walk->needed[entry])
        entry = following[entry];
    return entry < walk->trees->count ? entry : NO_ENTRY;
}

static int note(PyObject *list, uint32_t entry) {
    PyObject *number = PyLong_FromUnsignedLong(entry);
    int done = number == NULL ? -1 : PyList_Append(list, number);
    Py_XDECREF(number);
    return done;
}

/* Keeps an object for its deltas. If too much is kept, the deltas on the oldest are left to git. */
static int push(Walk *walk, PyObject *content, size_t size, int64_t inherited, uint32_t next) {
    Frame *frames = grown(walk->frames, walk->count, &walk->capacity, sizeof(Frame));
    if (frames == NULL)
        return -1;
    walk->frames = frames;
    Py_INCREF(content);
    frames[walk->count++] = (Frame){content, inherited, next};
    walk->held += size;
    const uint32_t *following = walk->trees->following.buf;
    while (walk->held > walk->trees->most_held && walk->bottom + 1 < walk->count) {
        Frame *oldest = &frames[walk->bottom++];
        size_t freed;
        bytes_of(oldest->content, &freed);
        walk->held -= freed;
        Py_CLEAR(oldest->content);
        for (uint32_t entry = oldest->next; entry != NO_ENTRY; entry = next_needed(walk, following[entry])) {
            if (note(walk->left, entry) < 0)
                return -1;
        }
    }
    return 0;
}

/* The next delta of the latest object that has one, and that object as a new reference. */
static uint32_t pop(Walk *walk, PyObject **base, int64_t *inherited) {
    if (walk->count == walk->bottom) {
        walk->count = walk->bottom = 0;
        return NO_ENTRY;
    }
    const uint32_t *following = walk->trees->following.buf;
    Frame *top = &walk->frames[walk->count - 1];
    uint32_t entry = top->next;
    *inherited = top->inherited;
    top->next = next_needed(walk, following[entry]);
    *base = top->content;
    if (top->next != NO_ENTRY) {
        Py_INCREF(*base);
    } else {
        size_t freed;
        bytes_of(top->content, &freed);
        walk->held -= freed;
        walk->count--;
    }
    return entry;
}

static Outcome made(Walk *walk, uint32_t entry, PyObject *base, int64_t inherited, PyObject **content) {
    PyObject *delta;
    size_t size;
    if (base == NULL) {
        Outcome outcome = unpacked(walk->trees, entry, false, content);
        if (outcome == MADE) {
            bytes_of(*content, &size);
            if (set_whole(&walk->fresh, size) < 0) {
                Py_CLEAR(*content);
                return outcome_of_error(walk->trees);
            }
        }
        return outcome;
    }
    Outcome outcome = unpacked(walk->trees, entry, true, &delta);
    if (outcome != MADE)
        return outcome;
    outcome = applied(walk->trees, base, delta, inherited < 0 ? NULL : walk->around, &walk->fresh, content);
    Py_DECREF(delta);
    return outcome;
}

/* Makes an entry of its base, shows it, and keeps it for its deltas. */
static int step(Walk *walk, uint32_t entry, PyObject *base, int64_t inherited) {
    if (++walk->steps % ENTRIES_BETWEEN_SIGNALS == 0 && PyErr_CheckSignals() < 0)
        return -1;
    Object object = {.entry = entry, .fresh = &walk->fresh, .inherited = inherited < 0 ? 0 : inherited};
    switch (made(walk, entry, base, inherited, &object.content)) {
        case MADE:
            break;
        case LEFT:
            return note(walk->left, entry);
        case FORGED:
            return note(walk->forged, entry);
        case FAILED:
            return -1;
    }
    object.data = bytes_of(object.content, &object.size);
    int64_t passed = -1; /* for what is not shown: its deltas are shown whole */
    if (walk->wanted == NULL || walk->wanted[entry]) {
        passed = walk->look(walk->context, &object);
        if (passed < 0) {
            Py_DECREF(object.content);
            return -1;
        }
        walk->objects++;
        walk->size += object.size;
    }
    const uint32_t *first = walk->trees->first.buf;
    uint32_t next = next_needed(walk, first[entry]);
    int done = next == NO_ENTRY ? 0 : push(walk, object.content, object.size, passed, next);
    Py_DECREF(object.content);
    return done;
}

static int walk_tree(Walk *walk, uint32_t root) {
    uint32_t entry = root;
    PyObject *base = NULL;
    int64_t inherited = 0;
    do {
        int done = step(walk, entry, base, inherited);
        Py_CLEAR(base);
        if (done < 0)
            return -1;
        entry = pop(walk, &base, &inherited);
    } while (entry != NO_ENTRY);
    return 0;
}

static int get_selection(DeltaTrees *trees, PyObject *marks, Py_buffer *view, const uint8_t **items) {
    if (get_items(marks, view, 1) < 0)
        return -1;
    if (view->len != (Py_ssize_t)trees->count) {
        PyBuffer_Release(view);
        PyErr_SetString(PyExc_ValueError, "a selection has a mark for each entry");
        return -1;
    }
    *items = view->buf;
    return 0;
}

static int walk_roots(Walk *walk, const uint32_t *roots, Py_ssize_t count) {
    for (Py_ssize_t number = 0; number < count; number++) {
        uint32_t root = roots[number];
        if (root >= walk->trees->count) {
            PyErr_SetString(PyExc_IndexError, "no entry has this number");
            return -1;
        }
        if ((walk->needed == NULL || walk->needed[root]) && walk_tree(walk, root) < 0)
            return -1;
    }
    return 0;
}

PyObject *walk(DeltaTrees *trees, PyObject *roots, PyObject *wanted, PyObject *needed, const Around *around, Look look,
               void *context) {
    Py_buffer roots_view, wanted_view, needed_view;
    Walk walk = {.trees = trees, .around = around, .look = look, .context = context};
    PyObject *result = NULL;
    if (get_items(roots, &roots_view, sizeof(uint32_t)) < 0)
        return NULL;
    bool selects = wanted != Py_None;
    if (selects && get_selection(trees, wanted, &wanted_view, &walk.wanted) < 0) {
        PyBuffer_Release(&roots_view);
        return NULL;
    }
    if (selects && get_selection(trees, needed, &needed_view, &walk.needed) < 0) {
        PyBuffer_Release(&wanted_view);
        PyBuffer_Release(&roots_view);
        return NULL;
    }
    walk.left = PyList_New(0);
    walk.forged = PyList_New(0);
    if (walk.left != NULL && walk.forged != NULL &&
        walk_roots(&walk, roots_view.buf, roots_view.len / (Py_ssize_t)sizeof(uint32_t)) == 0) {
        result = Py_BuildValue("KKOO", (unsigned long long)walk.objects, (unsigned long long)walk.size, walk.left,
                               walk.forged);
    }
    for (size_t number = walk.bottom; number < walk.count; number++)
        Py_DECREF(walk.frames[number].content);
    PyMem_Free(walk.frames);
    PyMem_Free(walk.fresh.items);
    Py_XDECREF(walk.left);
    Py_XDECREF(walk.forged);
    if (selects) {
        PyBuffer_Release(&needed_view);
        PyBuffer_Release(&wanted_view);
    }
    PyBuffer_Release(&roots_view);
    return result;
}

/* ---- contents that are more than text ---- */

enum { TAR_MAGIC_AT = 257, ZIP_END_SIZE = 22, ZIP_TAIL = 22 + 0xffff, LFS_POINTER_SIZE = 1024 };

typedef struct {
    const char *bytes;
    uint8_t size;
} Mark;

#define MARK(bytes) {bytes, sizeof bytes - 1}

static bool starts(const uint8_t *data, size_t size, Mark mark) {
    return size >= mark.size && memcmp(data, mark.bytes, mark.size) == 0;
}

static bool starts_with_any(const uint8_t *data, size_t size, const Mark *marks, size_t count) {
    for (size_t number = 0; number < count; number++)
        if (starts(data, size, marks[number]))
            return true;
    return false;
}

/* Whether some bytes may be an archive, end in one, or be a pointer of Git LFS. Yes whenever `archive_kind`,
   `may_end_in_zip` or `may_be_lfs_pointer` say so, and rarely otherwise; a test holds that law. */
static bool may_be_container(const uint8_t *data, size_t size) {
    static const Mark archives[] = {
        MARK("PK\3\4"),   MARK("PK\5\6"),   MARK("PK\7\x08"),  MARK("\x1f\x8b\x08"), MARK("\xfd" "7zXZ\0"),
        MARK("\x28\xb5\x2f\xfd"), MARK("7z\xbc\xaf\x27\x1c"), MARK("Rar!\x1a\7"), MARK("\4\x22\x4d\x18"),
        MARK("LZIP\1"),    MARK("\x1f\x9d\x90"), MARK("MSCF\0\0\0\0"), MARK("PACK\0\0\0"), MARK("# v2 git bundle\n"),
        MARK("# v3 git bundle\n"), MARK("%PDF-"), MARK("BZh"), MARK("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    };
    static const Mark mail[] = {
        MARK("From "), MARK("From:"), MARK("Return-Path:"), MARK("Delivered-To:"), MARK("Received:"),
        MARK("MIME-Version:"), MARK("Message-I"), MARK("Date:"), MARK("To:"), MARK("Subject:"), MARK("DKIM-Signature:"),
        MARK("ARC-Seal:"), MARK("Reply-To:"), MARK("Content-Type:"), MARK("X-Mozilla-Status:"), MARK("X-Apparently-To:"),
        MARK("X-Gmail-Labels:"), MARK("X-GM-THRID:"), MARK("X-Received:"), MARK("X-Original-To:"),
        MARK("X-Account-Key:"), MARK("X-UIDL:"), MARK("Envelope-To:"), MARK("Authentication-Results:"),
        MARK("Thread-Topic:"), MARK("Snapshot-Content-Location:"),
    };
    static const Mark programs[] = {MARK("#!"), MARK("MZ"), MARK("\x7f" "ELF")};
    static const Mark tar = MARK("ustar"), zip_end = MARK("PK\5\6"), skippable = MARK("\x2a\x4d\x18"), pointer = MARK("version http");
    if (starts_with_any(data, size, archives, sizeof archives / sizeof *archives))
        return true;
    if (size >= 4 && (data[0] & 0xf0) == 0x50 && starts(data + 1, size - 1, skippable))
        return true; /* a frame in front of zstd data */
    if (starts_with_any(data, size, mail, sizeof mail / sizeof *mail))
        return true;
    if (size >= 2 && data[0] == 'x' && (data[0] << 8 | data[1]) % 31 == 0 && !(data[1] & 0x20))
        return true; /* zlib data without a preset dictionary, perhaps a loose object */
    if (size > TAR_MAGIC_AT && starts(data + TAR_MAGIC_AT, size - TAR_MAGIC_AT, tar))
        return true;
    if (size >= ZIP_END_SIZE && starts(data + size - ZIP_END_SIZE, ZIP_END_SIZE, zip_end))
        return true;
    if (starts_with_any(data, size, programs, sizeof programs / sizeof *programs)) {
        size_t at = size > ZIP_TAIL ? size - ZIP_TAIL : 0;
        for (; at < size; at++) {
            const uint8_t *next = memchr(data + at, 'P', size - at);
            at = next == NULL ? size : (size_t)(next - data);
            if (at < size && starts(data + at, size - at, zip_end))
                return true;
        }
    }
    size_t text = 0;
    while (size <= LFS_POINTER_SIZE && text < size && Py_ISSPACE(data[text]))
        text++;
    return size <= LFS_POINTER_SIZE && starts(data + text, size - text, pointer);
}

static PyObject *may_be_container_function(PyObject *module, PyObject *bytes) {
    (void)module;
    Py_buffer data;
    if (PyObject_GetBuffer(bytes, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    bool may_be = may_be_container(data.buf, (size_t)data.len);
    PyBuffer_Release(&data);
    return PyBool_FromLong(may_be);
}

/* ---- a visitor in Python ---- */

#define SEPARATOR "\n\0\1\0\n"
#define SEPARATOR_SIZE 5

/* All of an object that its base does not have, with a separator between the parts. */
static PyObject *joined(const Object *object) {
    const Spans *fresh = object->fresh;
    if (fresh->count == 1 && fresh->items[0].end - fresh->items[0].start == object->size)
        return Py_NewRef(object->content);
    size_t total = fresh->count > 1 ? (fresh->count - 1) * SEPARATOR_SIZE : 0;
    for (size_t number = 0; number < fresh->count; number++)
        total += fresh->items[number].end - fresh->items[number].start;
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)total);
    if (result == NULL)
        return NULL;
    char *out = PyBytes_AS_STRING(result);
    for (size_t number = 0; number < fresh->count; number++) {
        Span span = fresh->items[number];
        if (number > 0) {
            memcpy(out, SEPARATOR, SEPARATOR_SIZE);
            out += SEPARATOR_SIZE;
        }
        memcpy(out, object->data + span.start, span.end - span.start);
        out += span.end - span.start;
    }
    return result;
}

int as_bytes(Object *object) {
    if (PyBytes_CheckExact(object->content))
        return 0;
    PyObject *content = PyBytes_FromStringAndSize((const char *)object->data, (Py_ssize_t)object->size);
    if (content == NULL)
        return -1;
    Py_SETREF(object->content, content);
    object->data = bytes_of(content, &object->size);
    return 0;
}

typedef struct {
    PyObject *visit, *search; /* `search` may be None */
} Visitor;

static int64_t show(void *context, Object *object) {
    const Visitor *visitor = context;
    int64_t seen = 0;
    if (visitor->search != Py_None) {
        for (size_t number = 0; number < object->fresh->count; number++) {
            Span span = object->fresh->items[number];
            int64_t traits = search_traits(visitor->search, object->data + span.start, span.end - span.start);
            if (traits < 0)
                return -1;
            seen |= traits;
        }
        if (!must_look(object->inherited, seen) && !may_be_container(object->data, object->size))
            return object->inherited | seen;
    }
    if (as_bytes(object) < 0)
        return -1;
    PyObject *fresh = joined(object);
    if (fresh == NULL)
        return -1;
    PyObject *traits = visitor->search == Py_None ? Py_NewRef(Py_None) : PyLong_FromLongLong(seen), *answer = NULL;
    if (traits != NULL)
        answer = PyObject_CallFunction(visitor->visit, "kOOLO", (unsigned long)object->entry, object->content, fresh,
                                       (long long)object->inherited, traits);
    Py_XDECREF(traits);
    Py_DECREF(fresh);
    if (answer == NULL)
        return -1;
    long long passed = PyLong_AsLongLong(answer);
    Py_DECREF(answer);
    if (passed < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "what is inherited must not be negative");
    return passed < 0 ? -1 : passed;
}

static PyObject *visit_all(DeltaTrees *self, PyObject *arguments) {
    PyObject *roots, *context, *wanted, *needed;
    Visitor visitor;
    if (!PyArg_ParseTuple(arguments, "OOOOOO:visit", &roots, &visitor.visit, &visitor.search, &context, &wanted, &needed))
        return NULL;
    if (context == Py_None)
        return walk(self, roots, wanted, needed, NULL, show, &visitor);
    int before, behind;
    if (!PyArg_ParseTuple(context, "ii", &before, &behind))
        return NULL;
    if (before < 0 || behind < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes of a context are not negative");
        return NULL;
    }
    Around around = {before, behind};
    return walk(self, roots, wanted, needed, &around, show, &visitor);
}

/* ---- the type ---- */

static void release(Py_buffer *view) {
    if (view->obj != NULL)
        PyBuffer_Release(view);
}

static void delta_trees_dealloc(DeltaTrees *self) {
    PyTypeObject *type = Py_TYPE(self);
    release(&self->data);
    release(&self->offsets);
    release(&self->first);
    release(&self->following);
    Py_CLEAR(self->inflate);
    Py_CLEAR(self->decompress);
    Py_CLEAR(self->errors);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *delta_trees_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"data",       "offsets", "first",  "following", "id_size", "inflate",
                            "decompress", "errors",  "limits", NULL};
    PyObject *data, *offsets, *first, *following, *inflate, *decompress, *errors;
    Py_ssize_t id_size;
    unsigned long long largest, most_held, most_inflated, most_copied;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OOOOnOOO!(KKKK)", names, &data, &offsets, &first, &following,
                                     &id_size, &inflate, &decompress, &PyTuple_Type, &errors, &largest, &most_held,
                                     &most_inflated, &most_copied)) {
        return NULL;
    }
    if (id_size < 1 || id_size > 64 || most_inflated < 1 || most_copied < 1 || largest > PY_SSIZE_T_MAX / 4) {
        PyErr_SetString(PyExc_ValueError, "sizes and limits are out of range");
        return NULL;
    }
    DeltaTrees *self = (DeltaTrees *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->id_size = id_size;
    self->inflate = Py_NewRef(inflate);
    self->decompress = Py_NewRef(decompress);
    self->errors = Py_NewRef(errors);
    self->largest = largest;
    self->most_held = most_held;
    self->most_inflated = most_inflated;
    self->most_copied = most_copied;
    if (get_items(data, &self->data, 1) < 0 || get_items(offsets, &self->offsets, sizeof(uint64_t)) < 0 ||
        get_items(first, &self->first, sizeof(uint32_t)) < 0 ||
        get_items(following, &self->following, sizeof(uint32_t)) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    Py_ssize_t count = self->first.len / (Py_ssize_t)sizeof(uint32_t);
    if (self->following.len != self->first.len || self->offsets.len != (count + 1) * (Py_ssize_t)sizeof(uint64_t) ||
        (uint64_t)count >= NO_ENTRY) {
        Py_DECREF(self);
        PyErr_SetString(PyExc_ValueError, "the forest does not fit the pack");
        return NULL;
    }
    self->count = (uint32_t)count;
    return (PyObject *)self;
}

static PyMethodDef delta_trees_methods[] = {
    {"visit", (PyCFunction)visit_all, METH_VARARGS, "Show a visitor the objects of some delta trees."},
    {"visit_messages", (PyCFunction)visit_messages, METH_VARARGS, "Show a visitor the commits or tags of some delta trees."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot delta_trees_slots[] = {{Py_tp_doc, "The delta trees of a pack."},
                                          {Py_tp_new, delta_trees_new},
                                          {Py_tp_dealloc, delta_trees_dealloc},
                                          {Py_tp_methods, delta_trees_methods},
                                          {0, NULL}};

static PyType_Spec delta_trees_spec = {.name = "binance_leaks._native.DeltaTrees",
                                       .basicsize = sizeof(DeltaTrees),
                                       .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                       .slots = delta_trees_slots};

bool is_delta_trees(PyObject *object) {
    return Py_TYPE(object)->tp_dealloc == (destructor)delta_trees_dealloc; /* which no other type has */
}

int add_type(PyObject *module, PyType_Spec *spec) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int added = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return added;
}

static PyMethodDef functions[] = {
    {"may_be_container", may_be_container_function, METH_O, "Whether bytes may be an archive, end in one, or a pointer."},
    {NULL, NULL, 0, NULL}};

int add_objects(PyObject *module) {
    if (PyModule_AddFunctions(module, functions) < 0)
        return -1;
    return add_type(module, &delta_trees_spec) < 0 || add_trees(module) < 0 ? -1 : add_forest(module);
}
