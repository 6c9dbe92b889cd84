/* Commits and tags: see `walk_messages` in `binance_leaks.sources.objects.walk`, which says the same in Python. */
#include "objects.h"

#include <string.h>

enum { MOST_DIGITS = 18 };

/* Where some text begins in bytes, or `size` if it is not there. */
static size_t find(const uint8_t *data, size_t size, size_t from, const char *text) {
    size_t length = strlen(text);
    while (from < size && size - from >= length) {
        const uint8_t *at = memchr(data + from, text[0], size - from - length + 1);
        if (at == NULL)
            return size;
        if (memcmp(at, text, length) == 0)
            return (size_t)(at - data);
        from = (size_t)(at - data) + 1;
    }
    return size;
}

static int hex_digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    uint8_t letter = byte | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* The id behind a word of a header, which ends the line; NULL without an exception if it is none. */
static PyObject *id_behind(const Object *object, size_t at, const char *word, size_t id_size) {
    size_t length = strlen(word);
    if (object->size < at || object->size - at < length + 2 * id_size || memcmp(object->data + at, word, length) != 0)
        return NULL;
    const uint8_t *digits = object->data + at + length;
    uint8_t id[64];
    for (size_t number = 0; number < id_size; number++) {
        int high = hex_digit(digits[2 * number]), low = hex_digit(digits[2 * number + 1]);
        if (high < 0 || low < 0)
            return NULL;
        id[number] = (uint8_t)(high << 4 | low);
    }
    return PyBytes_FromStringAndSize((const char *)id, (Py_ssize_t)id_size);
}

/* The committer's time, 0 if it is not there or no number of a sensible size. */
static long long time_of(const Object *object, size_t from) {
    const uint8_t *data = object->data;
    size_t start = find(data, object->size, from, "\ncommitter ");
    if (start == object->size)
        return 0;
    size_t line = start + 1, end = find(data, object->size, line, "\n"), spaces = 0;
    size_t last = end, begin = end;
    while (begin > line && spaces < 2) {
        begin--;
        if (data[begin] == ' ' && ++spaces == 1)
            last = begin;
    }
    if (spaces == 2)
        begin++;
    bool negative = begin < last && data[begin] == '-';
    begin += negative;
    if (begin == last || last - begin > MOST_DIGITS)
        return 0;
    long long seconds = 0;
    for (; begin < last; begin++) {
        if (data[begin] < '0' || data[begin] > '9')
            return 0;
        seconds = seconds * 10 + (data[begin] - '0');
    }
    return negative ? -seconds : seconds;
}

static int add_parents(const Object *object, size_t *at, size_t id_size, PyObject *parents) {
    static const char word[] = "parent ";
    size_t length = sizeof word - 1;
    while (object->size - *at >= length && memcmp(object->data + *at, word, length) == 0) {
        PyObject *parent = id_behind(object, *at, word, id_size);
        int done = parent == NULL ? -1 : PyList_Append(parents, parent);
        Py_XDECREF(parent);
        if (done < 0)
            return -1;
        *at += length + 2 * id_size + 1;
        if (*at > object->size)
            *at = object->size;
    }
    return 0;
}

/* Adds (entry, tree, parents, time) of a commit to the nodes, unless it is malformed or a tag. */
static int add_node(PyObject *nodes, const Object *object, size_t id_size) {
    PyObject *tree = id_behind(object, 0, "tree ", id_size);
    if (tree == NULL)
        return PyErr_Occurred() ? -1 : 0;
    size_t at = sizeof "tree " + 2 * id_size;
    at = at < object->size ? at : object->size;
    PyObject *parents = PyList_New(0), *tuple = NULL, *node = NULL;
    bool well_formed = parents != NULL && add_parents(object, &at, id_size, parents) == 0;
    if (well_formed && (tuple = PyList_AsTuple(parents)) != NULL)
        node = Py_BuildValue("kOOL", (unsigned long)object->entry, tree, tuple, time_of(object, at - 1));
    int done = node != NULL ? PyList_Append(nodes, node) : PyErr_Occurred() ? -1 : 0;
    Py_XDECREF(node);
    Py_XDECREF(tuple);
    Py_XDECREF(parents);
    Py_DECREF(tree);
    return done;
}

static const struct {
    const char *begin, *data; /* the marker, and the words that its data may begin with */
} SIGNATURES[] = {
    {"-----BEGIN PGP SIGNATURE-----", "i w"},
    {"-----BEGIN PGP MESSAGE-----", "h j k o w x"},
    {"-----BEGIN SSH SIGNATURE-----", "U1NIU0lH"},
    {"-----BEGIN SIGNED MESSAGE-----", "MI"},
    {"-----BEGIN CERTIFICATE-----", "MI"},
    {"-----BEGIN PKCS7-----", "MI"},
};

enum { LONGEST_LINE = 76, LONGEST_HEADER = 63, BEFORE_KIND = 11 };

static bool is_text(const uint8_t *line, size_t size, const char *text) {
    return size == strlen(text) && memcmp(line, text, size) == 0;
}

static bool begins_with_any(const uint8_t *line, size_t size, const char *words) {
    for (size_t length; *words != '\0'; words += length + (words[length] == ' ')) {
        length = strcspn(words, " ");
        if (size >= length && memcmp(line, words, length) == 0)
            return true;
    }
    return false;
}

static bool is_base64(const uint8_t *line, size_t size) {
    for (size_t at = 0; at < size; at++) {
        uint8_t byte = line[at], letter = byte | 0x20;
        if (!((letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') || byte == '+' || byte == '/' || byte == '='))
            return false;
    }
    return true;
}

/* Whether a value of a header, up to the end of the headers, is a signature: see `detect.signatures`. */
static bool is_signature(const uint8_t *text, size_t size) {
    while (size >= 2 && memcmp(text + size - 2, "\n ", 2) == 0)
        size -= 2;
    size_t kind = 0, kinds = sizeof SIGNATURES / sizeof *SIGNATURES, at = find(text, size, 0, "\n ");
    while (kind < kinds && !is_text(text, at, SIGNATURES[kind].begin))
        kind++;
    if (kind == kinds)
        return false;
    size_t width = 0, last = 0;
    bool is_over = false;
    while (at < size) {
        const uint8_t *line = text + at + 2;
        size_t next = find(text, size, at + 2, "\n "), length = next - at - 2;
        if (next == size)
            return width > 0 && length > 9 && memcmp(line, "-----END ", 9) == 0 &&
                   is_text(line + 9, length - 9, SIGNATURES[kind].begin + BEFORE_KIND);
        at = next;
        if (length == 0 || (length <= LONGEST_HEADER && find(line, length, 0, ": ") < length))
            continue;
        if (is_over || !is_base64(line, length))
            return false;
        if (width > 0 && length == 5 && line[0] == '=') {
            is_over = true;
            continue;
        }
        if (width == 0) {
            if (length > LONGEST_LINE || !begins_with_any(line, length, SIGNATURES[kind].data))
                return false;
            width = length;
        } else if (last != width || length > width) {
            return false;
        }
        last = length;
    }
    return false;
}

/* The traits of a commit or tag without the signature that ends its headers: see `strip_signature`. */
static int64_t traits_of_message(PyObject *search, const Object *object) {
    const uint8_t *data = object->data;
    size_t end = find(data, object->size, 0, "\n\n");
    size_t signature = end < object->size ? find(data, end, 0, "\ngpgsig") : end;
    size_t value = signature < end ? find(data, end, signature, " ") : end;
    const uint8_t *name = data + signature + 1;
    if (value == end || !(is_text(name, value - signature - 1, "gpgsig") || is_text(name, value - signature - 1, "gpgsig-sha256")) ||
        !is_signature(data + value + 1, end - value - 1))
        return search_traits(search, data, object->size);
    size_t size = signature + (object->size - end);
    uint8_t *text = PyMem_Malloc(size);
    if (text == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(text, data, signature);
    memcpy(text + signature, data + end, object->size - end);
    int64_t traits = search_traits(search, text, size);
    PyMem_Free(text);
    return traits;
}

typedef struct {
    PyObject *visit, *search, *nodes;
    size_t id_size;
} Messages;

static int64_t look_at_message(void *context, Object *object) {
    const Messages *messages = context;
    if (add_node(messages->nodes, object, messages->id_size) < 0)
        return -1;
    if (messages->search != Py_None) {
        int64_t traits = traits_of_message(messages->search, object);
        if (traits < 0)
            return -1;
        if (!must_look(0, traits))
            return 0;
    }
    if (as_bytes(object) < 0)
        return -1;
    PyObject *answer =
        PyObject_CallFunction(messages->visit, "kO", (unsigned long)object->entry, object->content);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

PyObject *visit_messages(DeltaTrees *trees, PyObject *arguments) {
    PyObject *roots, *wanted, *needed;
    Messages messages = {.id_size = (size_t)trees->id_size};
    if (!PyArg_ParseTuple(arguments, "OOOOO:visit_messages", &roots, &messages.visit, &messages.search, &wanted, &needed))
        return NULL;
    messages.nodes = PyList_New(0);
    if (messages.nodes == NULL)
        return NULL;
    PyObject *walked = walk(trees, roots, wanted, needed, NULL, look_at_message, &messages), *result = NULL;
    if (walked != NULL)
        result = PyTuple_Pack(2, walked, messages.nodes);
    Py_XDECREF(walked);
    Py_DECREF(messages.nodes);
    return result;
}
