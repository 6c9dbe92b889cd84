/* What trees name: see `binance_leaks.sources.objects.tree_index`, which says the same in Python. */
#include "objects.h"

#include <string.h>

enum { LEAST_ID = 8, MOST_PROBES = 32, RUN_OF_VALUE = 64 };

/* ---- sets of ids ---- */

/* Ids in ascending order, with a bit for each two bytes that one begins with. */
typedef struct {
    PyObject *owner;
    const uint8_t *ids;
    size_t count, id_size;
    uint8_t marks[65536 / 8];
} IdSet;

static int fill_set(IdSet *set, PyObject *joined, size_t id_size) {
    memset(set, 0, sizeof *set);
    if (!PyBytes_CheckExact(joined) || (size_t)PyBytes_GET_SIZE(joined) % id_size != 0) {
        PyErr_SetString(PyExc_TypeError, "joined ids are needed");
        return -1;
    }
    set->ids = (const uint8_t *)PyBytes_AS_STRING(joined);
    set->count = (size_t)PyBytes_GET_SIZE(joined) / id_size;
    set->id_size = id_size;
    for (size_t number = 0; number < set->count; number++) {
        const uint8_t *id = set->ids + number * id_size;
        if (number > 0 && memcmp(id - id_size, id, id_size) >= 0) {
            PyErr_SetString(PyExc_ValueError, "the ids are not ascending");
            return -1;
        }
        set->marks[id[0] << 5 | id[1] >> 3] |= (uint8_t)(1 << (id[1] & 7));
    }
    set->owner = Py_NewRef(joined);
    return 0;
}

static bool has_id(const IdSet *set, const uint8_t *id) {
    if (!(set->marks[id[0] << 5 | id[1] >> 3] & 1 << (id[1] & 7)))
        return false;
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(set->ids + middle * set->id_size, id, set->id_size);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* ---- the index ---- */

/* A folder that trees name: its name in `text`, and its id. */
typedef struct {
    size_t name, name_size;
} Folder;

/* A tree that names folders: their numbers end at `end`, and begin where those of the tree before it end. */
typedef struct {
    uint64_t owner;
    size_t end;
} Owner;

typedef struct {
    PyObject_HEAD
    size_t id_size;
    Py_buffer known; /* uint64: the first 64 bits of all known ids, ascending */
    IdSet sought;
    /* Each folder once, or a few times if somebody made ids that fall together. */
    Folder *folders;
    size_t folder_count, folder_capacity;
    uint8_t *ids;
    size_t id_capacity; /* in ids */
    uint8_t *text;
    size_t text_size, text_capacity;
    uint32_t *slots; /* numbers of folders by a hash, or NO_ENTRY */
    size_t slot_count;
    Owner *owners;
    size_t owner_count, owner_capacity;
    uint32_t *numbers;
    size_t number_count, number_capacity;
    /* The first 64 bits of most known ids that were named, by a hash, or 0. */
    uint64_t *named;
    size_t named_count, named_slots;
    /* Found since it was last taken. */
    PyObject *links, *missing;
    uint64_t *suspicious;
    size_t suspicious_count, suspicious_capacity;
} TreeIndex;

static uint64_t start_of(const uint8_t *id) {
    uint64_t start = 0;
    for (int place = 0; place < 8; place++)
        start = start << 8 | id[place];
    return start;
}

/* Where to look first in a table of a power of two of slots. */
static size_t hashed(uint64_t number) {
    return (size_t)(number * 0x9e3779b97f4a7c15u >> 24);
}

/* The slot of a number that was named, or a free one; NULL if those where it may be are taken. */
static uint64_t *named_slot(const TreeIndex *index, uint64_t start) {
    size_t slot = hashed(start);
    for (size_t probe = 0; probe < MOST_PROBES && index->named_slots > 0; probe++) {
        uint64_t *at = &index->named[(slot + probe) & (index->named_slots - 1)];
        if (*at == start || *at == 0)
            return at;
    }
    return NULL;
}

static int grow_named(TreeIndex *index) {
    size_t count = index->named_slots ? index->named_slots * 2 : 1024, former_count = index->named_slots;
    uint64_t *former = index->named, *named = PyMem_Calloc(count, sizeof(uint64_t));
    if (named == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    index->named = named;
    index->named_slots = count;
    for (size_t number = 0; number < former_count; number++) {
        uint64_t *slot = named_slot(index, former[number]);
        if (slot != NULL)
            *slot = former[number];
    }
    PyMem_Free(former);
    return 0;
}

static bool is_known(const TreeIndex *index, uint64_t start) {
    const uint64_t *starts = index->known.buf;
    size_t low = 0, high = (size_t)index->known.len / sizeof(uint64_t), end = high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (starts[middle] < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && starts[low] == start;
}

/* Adds an id to the missing ones, unless it is known. Trees have most of their entries in common: what was found once is
   found faster. */
static int check_id(TreeIndex *index, const uint8_t *id) {
    uint64_t start = start_of(id), *slot = named_slot(index, start);
    if (slot != NULL && *slot == start && start != 0)
        return 0;
    if (!is_known(index, start)) {
        PyObject *name = PyBytes_FromStringAndSize((const char *)id, (Py_ssize_t)index->id_size);
        int done = name == NULL ? -1 : PySet_Add(index->missing, name);
        Py_XDECREF(name);
        return done;
    }
    if (index->named_count * 2 >= index->named_slots) {
        if (grow_named(index) < 0)
            return -1;
        slot = named_slot(index, start);
    }
    if (slot != NULL && start != 0) {
        *slot = start;
        index->named_count++;
    }
    return 0;
}

static size_t slot_of(const uint8_t *id, size_t name_size) {
    return hashed(start_of(id) + name_size);
}

/* Remembers the place of a folder, unless too many are there. */
static void place(TreeIndex *index, uint32_t number) {
    size_t slot = slot_of(index->ids + number * index->id_size, index->folders[number].name_size);
    for (size_t probe = 0; probe < MOST_PROBES; probe++) {
        uint32_t *at = &index->slots[(slot + probe) & (index->slot_count - 1)];
        if (*at == NO_ENTRY) {
            *at = number;
            return;
        }
    }
}

static int grow_slots(TreeIndex *index) {
    if (index->folder_count * 2 < index->slot_count)
        return 0;
    size_t count = index->slot_count ? index->slot_count * 2 : 1024;
    uint32_t *slots = PyMem_New(uint32_t, count);
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memset(slots, 0xff, count * sizeof(uint32_t));
    PyMem_Free(index->slots);
    index->slots = slots;
    index->slot_count = count;
    for (size_t number = 0; number < index->folder_count; number++)
        place(index, (uint32_t)number);
    return 0;
}

static int add_text(TreeIndex *index, const uint8_t *name, size_t size) {
    while (index->text == NULL || index->text_capacity - index->text_size < size) {
        uint8_t *text = grown(index->text, index->text_capacity, &index->text_capacity, 1);
        if (text == NULL)
            return -1;
        index->text = text;
    }
    memcpy(index->text + index->text_size, name, size);
    index->text_size += size;
    return 0;
}

/* The number of a folder with this id and name, which is new or known. */
static int number_of(TreeIndex *index, const uint8_t *id, const uint8_t *name, size_t name_size, uint32_t *number) {
    if (grow_slots(index) < 0)
        return -1;
    size_t slot = slot_of(id, name_size);
    for (size_t probe = 0; probe < MOST_PROBES; probe++) {
        uint32_t known = index->slots[(slot + probe) & (index->slot_count - 1)];
        if (known == NO_ENTRY)
            break;
        const Folder *folder = &index->folders[known];
        if (folder->name_size == name_size && memcmp(index->ids + known * index->id_size, id, index->id_size) == 0 &&
            memcmp(index->text + folder->name, name, name_size) == 0) {
            *number = known;
            return 0;
        }
    }
    if (index->folder_count >= NO_ENTRY) {
        PyErr_NoMemory();
        return -1;
    }
    Folder *folders = grown(index->folders, index->folder_count, &index->folder_capacity, sizeof(Folder));
    if (folders == NULL)
        return -1;
    index->folders = folders;
    uint8_t *ids = grown(index->ids, index->folder_count, &index->id_capacity, index->id_size);
    if (ids == NULL)
        return -1;
    index->ids = ids;
    size_t begin = index->text_size;
    if (add_text(index, name, name_size) < 0)
        return -1;
    memcpy(ids + index->folder_count * index->id_size, id, index->id_size);
    folders[index->folder_count] = (Folder){begin, name_size};
    *number = (uint32_t)index->folder_count++;
    place(index, *number);
    return 0;
}

static int add_folder(TreeIndex *index, const uint8_t *id, const uint8_t *name, size_t name_size) {
    uint32_t number;
    if (number_of(index, id, name, name_size, &number) < 0)
        return -1;
    uint32_t *numbers = grown(index->numbers, index->number_count, &index->number_capacity, sizeof(uint32_t));
    if (numbers == NULL)
        return -1;
    index->numbers = numbers;
    numbers[index->number_count++] = number;
    return 0;
}

static int end_tree(TreeIndex *index, uint64_t owner) {
    size_t before = index->owner_count ? index->owners[index->owner_count - 1].end : 0;
    if (index->number_count == before)
        return 0;
    Owner *owners = grown(index->owners, index->owner_count, &index->owner_capacity, sizeof(Owner));
    if (owners == NULL)
        return -1;
    index->owners = owners;
    owners[index->owner_count++] = (Owner){owner, index->number_count};
    return 0;
}

static int add_suspicious(TreeIndex *index, uint64_t owner) {
    if (index->suspicious_count && index->suspicious[index->suspicious_count - 1] == owner)
        return 0;
    uint64_t *suspicious =
        grown(index->suspicious, index->suspicious_count, &index->suspicious_capacity, sizeof(uint64_t));
    if (suspicious == NULL)
        return -1;
    index->suspicious = suspicious;
    suspicious[index->suspicious_count++] = owner;
    return 0;
}

static int add_link(PyObject *links, uint64_t owner, PyObject *name, PyObject *target) {
    PyObject *link = name == NULL || target == NULL ? NULL : Py_BuildValue("KOO", (unsigned long long)owner, name, target);
    int done = link == NULL ? -1 : PyList_Append(links, link);
    Py_XDECREF(link);
    return done;
}

/* ---- reading trees ---- */

typedef struct {
    const uint8_t *mode, *name, *id;
    size_t mode_size, name_size, end;
} TreeEntry;

static bool read_entry(const uint8_t *tree, size_t size, size_t at, size_t id_size, TreeEntry *entry) {
    const uint8_t *space = at < size ? memchr(tree + at, ' ', size - at) : NULL;
    const uint8_t *zero = space == NULL ? NULL : memchr(space, 0, size - (size_t)(space - tree));
    if (zero == NULL || size - (size_t)(zero - tree) - 1 < id_size)
        return false;
    *entry = (TreeEntry){.mode = tree + at,
                         .mode_size = (size_t)(space - tree) - at,
                         .name = space + 1,
                         .name_size = (size_t)(zero - space) - 1,
                         .id = zero + 1,
                         .end = (size_t)(zero - tree) + 1 + id_size};
    return true;
}

static bool is_mode(const TreeEntry *entry, const char *mode) {
    size_t at = 0, size = strlen(mode);
    while (at < entry->mode_size && entry->mode[at] == '0')
        at++; /* some programs wrote a zero in front */
    return entry->mode_size - at == size && memcmp(entry->mode + at, mode, size) == 0;
}

static bool may_hold_value(const uint8_t *name, size_t size) {
    size_t run = 0;
    for (size_t at = 0; at < size && run < RUN_OF_VALUE; at++) {
        uint8_t letter = name[at] | 0x20;
        bool is_alphanumeric = (letter >= 'a' && letter <= 'z') || (name[at] >= '0' && name[at] <= '9');
        run = is_alphanumeric ? run + 1 : 0;
    }
    return run >= RUN_OF_VALUE;
}

/* Notes a tree that is the first to give an object a name in which a value may be. */
static int check_name(TreeIndex *index, uint64_t owner, const TreeEntry *entry) {
    if (!may_hold_value(entry->name, entry->name_size))
        return 0;
    size_t before = index->folder_count;
    uint32_t number;
    if (number_of(index, entry->id, entry->name, entry->name_size, &number) < 0)
        return -1;
    return index->folder_count > before ? add_suspicious(index, owner) : 0;
}

static int add_sought(TreeIndex *index, uint64_t owner, const TreeEntry *entry) {
    PyObject *name = PyBytes_FromStringAndSize((const char *)entry->name, (Py_ssize_t)entry->name_size);
    PyObject *target = PyBytes_FromStringAndSize((const char *)entry->id, (Py_ssize_t)index->id_size);
    int done = add_link(index->links, owner, name, target);
    Py_XDECREF(name);
    Py_XDECREF(target);
    return done;
}

static int read_tree(TreeIndex *index, uint64_t owner, const uint8_t *tree, size_t size) {
    size_t at = 0;
    TreeEntry entry;
    while (read_entry(tree, size, at, index->id_size, &entry)) {
        if (!is_mode(&entry, "160000") && check_id(index, entry.id) < 0)
            return -1;
        if (entry.name_size >= RUN_OF_VALUE && check_name(index, owner, &entry) < 0)
            return -1;
        if (index->sought.count > 0) {
            if (has_id(&index->sought, entry.id) && add_sought(index, owner, &entry) < 0)
                return -1;
            if (is_mode(&entry, "40000") && add_folder(index, entry.id, entry.name, entry.name_size) < 0)
                return -1;
        }
        at = entry.end;
    }
    return end_tree(index, owner);
}

typedef struct {
    TreeIndex *index;
    uint64_t first_owner;
} TreesOfPack;

static int64_t look_at_tree(void *context, Object *object) {
    TreesOfPack *trees = context;
    return read_tree(trees->index, trees->first_owner + object->entry, object->data, object->size);
}

/* ---- the type ---- */

static PyObject *read_share(TreeIndex *self, PyObject *arguments) {
    PyObject *trees, *roots;
    unsigned long long first_owner;
    if (!PyArg_ParseTuple(arguments, "OKO:read_share", &trees, &first_owner, &roots))
        return NULL;
    if (!is_delta_trees(trees)) {
        PyErr_SetString(PyExc_TypeError, "delta trees are needed");
        return NULL;
    }
    if ((size_t)((DeltaTrees *)trees)->id_size != self->id_size) {
        PyErr_SetString(PyExc_ValueError, "the ids are of another size");
        return NULL;
    }
    TreesOfPack context = {self, first_owner};
    return walk((DeltaTrees *)trees, roots, Py_None, Py_None, NULL, look_at_tree, &context);
}

static PyObject *read_one(TreeIndex *self, PyObject *arguments) {
    unsigned long long owner;
    Py_buffer tree;
    if (!PyArg_ParseTuple(arguments, "Ky*:read", &owner, &tree))
        return NULL;
    int done = read_tree(self, owner, tree.buf, (size_t)tree.len);
    PyBuffer_Release(&tree);
    return done < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *take(TreeIndex *self, PyObject *Py_UNUSED(nothing)) {
    PyObject *links = PyList_New(0), *missing = PySet_New(NULL), *taken = NULL;
    if (links != NULL && missing != NULL)
        taken = Py_BuildValue("OOy#", self->links, self->missing,
                              self->suspicious ? (const char *)self->suspicious : "",
                              (Py_ssize_t)(self->suspicious_count * sizeof(uint64_t)));
    if (taken == NULL) {
        Py_XDECREF(links);
        Py_XDECREF(missing);
        return NULL;
    }
    Py_SETREF(self->links, links);
    Py_SETREF(self->missing, missing);
    self->suspicious_count = 0;
    return taken;
}

/* The name and id of a folder, as two bytes objects that are made once. */
static int make_pair(const TreeIndex *index, size_t number, PyObject **pair) {
    if (pair[0] != NULL)
        return 0;
    const Folder *folder = &index->folders[number];
    pair[0] = PyBytes_FromStringAndSize((const char *)index->text + folder->name, (Py_ssize_t)folder->name_size);
    pair[1] = PyBytes_FromStringAndSize((const char *)index->ids + number * index->id_size, (Py_ssize_t)index->id_size);
    return pair[0] == NULL || pair[1] == NULL ? -1 : 0;
}

static int find_above(const TreeIndex *index, const bool *is_sought, PyObject **pairs, PyObject *links) {
    size_t at = 0;
    for (size_t tree = 0; tree < index->owner_count; tree++) {
        for (; at < index->owners[tree].end; at++) {
            uint32_t number = index->numbers[at];
            PyObject **pair = &pairs[2 * (size_t)number];
            if (is_sought[number] && (make_pair(index, number, pair) < 0 ||
                                      add_link(links, index->owners[tree].owner, pair[0], pair[1]) < 0))
                return -1;
        }
    }
    return 0;
}

static PyObject *above(TreeIndex *self, PyObject *joined) {
    IdSet *set = PyMem_New(IdSet, 1);
    bool *is_sought = PyMem_Calloc(self->folder_count + 1, sizeof(bool));
    PyObject **pairs = PyMem_Calloc(2 * self->folder_count + 1, sizeof(PyObject *));
    PyObject *links = PyList_New(0);
    int done = -1;
    if (set == NULL || is_sought == NULL || pairs == NULL || links == NULL)
        PyErr_NoMemory();
    else if (fill_set(set, joined, self->id_size) == 0) {
        for (size_t number = 0; number < self->folder_count; number++)
            is_sought[number] = has_id(set, self->ids + number * self->id_size);
        done = find_above(self, is_sought, pairs, links);
        Py_DECREF(set->owner);
    }
    for (size_t number = 0; pairs != NULL && number < 2 * self->folder_count; number++)
        Py_XDECREF(pairs[number]);
    PyMem_Free(pairs);
    PyMem_Free(is_sought);
    PyMem_Free(set);
    if (done < 0)
        Py_CLEAR(links);
    return links;
}

static void tree_index_dealloc(TreeIndex *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (self->known.obj != NULL)
        PyBuffer_Release(&self->known);
    Py_CLEAR(self->sought.owner);
    Py_CLEAR(self->links);
    Py_CLEAR(self->missing);
    PyMem_Free(self->folders);
    PyMem_Free(self->ids);
    PyMem_Free(self->text);
    PyMem_Free(self->slots);
    PyMem_Free(self->owners);
    PyMem_Free(self->numbers);
    PyMem_Free(self->named);
    PyMem_Free(self->suspicious);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *tree_index_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"id_size", "known", "sought", NULL};
    Py_ssize_t id_size;
    PyObject *known, *sought;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "nOO", names, &id_size, &known, &sought))
        return NULL;
    if (id_size < LEAST_ID || id_size > 64) {
        PyErr_SetString(PyExc_ValueError, "there are no ids of this size");
        return NULL;
    }
    TreeIndex *self = (TreeIndex *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->id_size = (size_t)id_size;
    self->links = PyList_New(0);
    self->missing = PySet_New(NULL);
    if (self->links == NULL || self->missing == NULL || get_items(known, &self->known, sizeof(uint64_t)) < 0 ||
        fill_set(&self->sought, sought, self->id_size) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyMethodDef tree_index_methods[] = {
    {"read_share", (PyCFunction)read_share, METH_VARARGS, "Read the trees of some delta trees."},
    {"read", (PyCFunction)read_one, METH_VARARGS, "Read a tree."},
    {"take", (PyCFunction)take, METH_NOARGS, "Return what was found since the last call."},
    {"above", (PyCFunction)above, METH_O, "Find the trees that name some trees."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot tree_index_slots[] = {{Py_tp_doc, "What trees name."},
                                         {Py_tp_new, tree_index_new},
                                         {Py_tp_dealloc, tree_index_dealloc},
                                         {Py_tp_methods, tree_index_methods},
                                         {0, NULL}};

static PyType_Spec tree_index_spec = {.name = "binance_leaks._native.TreeIndex",
                                      .basicsize = sizeof(TreeIndex),
                                      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                      .slots = tree_index_slots};

int add_trees(PyObject *module) {
    return add_type(module, &tree_index_spec);
}
