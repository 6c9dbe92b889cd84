/* The first test on every byte of a scan: does anything here deserve a look by Python?

   It knows the shapes of what may belong to a credential: runs of letters and digits, pieces of values in literals,
   text in UTF-16, escapes. The words come from Python (`binance_leaks.detect.first_test`), which also looks more closely at
   what is found here. The law, held by tests/detect/test_sieve.py: never nothing where the detector finds something.
   Each function reads the bytes once, or looks a bounded number of bytes ahead of a rare one. */
#include "native.h"

#include <string.h>

enum { /* what `binance_leaks.detect.first_test` has, bit by bit */
    VALUE = 1 << 0,
    HEX = 1 << 1,
    NAMED_HEX = 1 << 2,
    PIECE = 1 << 3,
    LIST = 1 << 4,
    NAMED = 1 << 5,
    CHAIN = 1 << 6,
    ENCODED = 1 << 7,
    PRIVATE_KEY = 1 << 8,
    SEED = 1 << 9,
    MENTION = 1 << 10,
    FUTURE = 1 << 11,
    WIDE = 1 << 12,
    BINARY = 1 << 13,
    DATABASE = 1 << 14,
    CLEAN = 1 << 15,
    PICTURE = 1 << 16,
    PACKED = 1 << 17,
};

enum { /* conditions on a word, as `Search` takes them */
    ANYWHERE,
    BEFORE_LITERALS, /* a call that joins the list of literals that follows */
    BEFORE_PIECES,   /* a call that joins short pieces that follow */
    INSIDE_WORD,     /* between characters of a value */
    CONDITIONS,
};

enum { LENGTH = 64, LONG_PIECE = 48, SHORT_PIECE = 16, SEED_LENGTH = 43, LONGEST_NAMED = 78, LONGEST_GLUED = 256 };
enum { BEFORE_HEX = 250, BEHIND_HEX = 100, LONGEST_JOINT = 160, LONGEST_NAME = 60, SHORTEST_ENCODED = 60 };
enum { BLOCK = 64, ESCAPES = 8, WIDE_RUN = 16, WIDE_REACH = 4 * WIDE_RUN, DECODED = 128 };
enum { MOST_WORDS = 4096, LONGEST_WORD = 255, BUCKETS = 1024 };

/* ---- classes of bytes ---- */

enum { ALNUM = 1, BASE64 = 2, QUOTE = 4, CLOSING = 8, JOINER = 16, HEX_DIGIT = 32, PREFIX = 64, NAME = 128 };

static uint8_t class_of[256], lower[256];

static void set_class(const char *members, uint8_t class) {
    for (; *members; members++)
        class_of[(uint8_t)*members] |= class;
}

static void fill_classes(void) {
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", *digits = "0123456789";
    memset(class_of, 0, sizeof class_of);
    set_class(letters, ALNUM | BASE64 | NAME);
    set_class(digits, ALNUM | BASE64 | NAME | HEX_DIGIT);
    set_class("abcdef", HEX_DIGIT);
    set_class("+/", BASE64);
    set_class("\"'`", QUOTE | CLOSING);
    set_class("\\=", CLOSING);
    set_class(" \t\r\n+.&|<>~_;", JOINER);
    set_class("bruLfN@", PREFIX);
    set_class("_$.{}[]>-", NAME);
    for (int byte = 0; byte < 256; byte++)
        lower[byte] = (uint8_t)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
}

static bool is(uint8_t byte, uint8_t class) {
    return (class_of[byte] & class) != 0;
}

static uint8_t upper(uint8_t byte) {
    return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte & ~0x20) : byte;
}

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The number of the lowest bit that is set in what is not 0. */
static int lowest_bit(uint64_t bits) {
#ifdef __GNUC__
    return __builtin_ctzll(bits);
#else
    int number = 0;
    for (; !(bits & 1); bits >>= 1)
        number++;
    return number;
#endif
}

/* ---- words ---- */

typedef struct {
    const uint8_t *text; /* in small letters */
    uint32_t trait;
    uint8_t size, condition;
    uint8_t anchor; /* where in the text its rarest pair of bytes is, by which it is found */
} Word;

enum { A_WORD = 1, A_CLOSING_QUOTE = 2, AN_ESCAPE = 4 };

typedef struct {
    PyObject *owner;             /* holds the bytes of the words */
    Word *words;                 /* by the buckets of their anchors */
    uint16_t first[BUCKETS + 1]; /* for each bucket the number of its first word */
    uint8_t begins[65536];       /* for each pair of bytes, in either case, what may be there */
} WordTable;

typedef struct {
    PyObject_HEAD
    WordTable words, names;
} Search;

/* Two bytes as one number, as the machine reads them. */
static unsigned pair_at(const uint8_t *text) {
    uint16_t pair;
    memcpy(&pair, text, sizeof pair);
    return pair;
}

/* The bucket of two bytes, in either case. */
static unsigned bucket_at(const uint8_t *text) {
    uint8_t small[2] = {lower[text[0]], lower[text[1]]};
    return (pair_at(small) * 40503u & 0xffff) / (65536 / BUCKETS);
}

static unsigned bucket_of(const Word *word) {
    return bucket_at(word->text + word->anchor);
}

static int order_of_words(const void *one, const void *other) {
    unsigned a = bucket_of(one), b = bucket_of(other);
    return (a > b) - (a < b);
}

/* About how often a byte is in code and prose. Zero is the most frequent byte of binaries. */
static int frequency(uint8_t byte) {
    static const char by_frequency[] = "^$~?@!%|+&;\\`*jz#{}q[]w8/73<9x>64v5k2y()b-='h1g:ufm,p._0d\"clinosrate ";
    const char *place = byte == 0 ? NULL : strchr(by_frequency, byte);
    return place == NULL ? (byte == 0 ? 80 : 4) : (int)(place - by_frequency) + 6;
}

static uint8_t rarest_pair(const uint8_t *text, size_t size) {
    size_t rarest = 0;
    for (size_t at = 1; at + 1 < size; at++)
        if (frequency(text[at]) * frequency(text[at + 1]) < frequency(text[rarest]) * frequency(text[rarest + 1]))
            rarest = at;
    return (uint8_t)rarest;
}

static void free_table(WordTable *table) {
    PyMem_Free(table->words);
    table->words = NULL;
    Py_CLEAR(table->owner);
}

static void mark(WordTable *table, uint8_t one, uint8_t other, uint8_t what) {
    uint8_t text[2] = {one, other};
    table->begins[pair_at(text)] |= what;
}

/* Mark the pairs of bytes that begin anything. All others stay zero: a table is made in every process. */
static void mark_pairs(WordTable *table, Py_ssize_t count) {
    for (Py_ssize_t number = 0; number < count; number++) {
        const uint8_t *pair = table->words[number].text + table->words[number].anchor;
        for (int one = 0; one < 2; one++)
            for (int other = 0; other < 2; other++)
                mark(table, one ? upper(pair[0]) : pair[0], other ? upper(pair[1]) : pair[1], A_WORD);
    }
    for (int one = 0; one < 256; one++)
        for (const char *quote = "\"'`"; *quote; quote++)
            if (is((uint8_t)one, ALNUM) || one == '\\')
                mark(table, (uint8_t)one, (uint8_t)*quote, A_CLOSING_QUOTE);
    for (const char *other = "\\ux"; *other; other++)
        mark(table, '\\', (uint8_t)*other, AN_ESCAPE);
    mark(table, '&', '#', AN_ESCAPE);
}

/* Read a table of words from a sequence of (bytes in small letters, trait, condition). */
static int read_table(WordTable *table, PyObject *sequence) {
    table->owner = PySequence_Tuple(sequence);
    if (table->owner == NULL)
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(table->owner);
    if (count > MOST_WORDS) {
        PyErr_SetString(PyExc_ValueError, "too many words");
        return -1;
    }
    table->words = PyMem_Calloc((size_t)count + 1, sizeof(Word));
    if (table->words == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t number = 0; number < count; number++) {
        PyObject *bytes;
        unsigned int trait, condition;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(table->owner, number), "SII", &bytes, &trait, &condition))
            return -1;
        Py_ssize_t size = PyBytes_GET_SIZE(bytes);
        if (size < 2 || size > LONGEST_WORD || condition >= CONDITIONS) {
            PyErr_SetString(PyExc_ValueError, "a word of 2 to 255 bytes and a condition are needed");
            return -1;
        }
        const uint8_t *text = (const uint8_t *)PyBytes_AS_STRING(bytes);
        table->words[number] = (Word){text, trait, (uint8_t)size, (uint8_t)condition, rarest_pair(text, (size_t)size)};
    }
    qsort(table->words, (size_t)count, sizeof(Word), order_of_words);
    uint16_t at = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        table->first[bucket] = at;
        while (at < count && bucket_of(&table->words[at]) == bucket)
            at++;
    }
    table->first[BUCKETS] = at;
    mark_pairs(table, count);
    return 0;
}

/* Where a word begins whose anchor is at an offset, NULL if it is not there. */
static const uint8_t *start_of(const Word *word, const uint8_t *data, size_t at, size_t size) {
    if (at < word->anchor || size - (at - word->anchor) < word->size)
        return NULL;
    const uint8_t *start = data + at - word->anchor;
    for (int place = 0; place < word->size; place++)
        if (lower[start[place]] != word->text[place])
            return NULL;
    return start;
}

/* ---- pieces of values ---- */

static size_t skip_run(const uint8_t *data, size_t at, size_t size, uint8_t class, size_t most) {
    size_t end = size - at < most ? size : at + most;
    while (at < end && is(data[at], class))
        at++;
    return at;
}

/* Skip what may be between two literals that are joined: joiners, brackets, backslashes, no-break spaces. */
static size_t skip_joint(const uint8_t *data, size_t at, size_t size, bool closing) {
    size_t end = size - at < LONGEST_JOINT ? size : at + LONGEST_JOINT;
    while (at < end && (is(data[at], JOINER) || data[at] == '\\' || data[at] == '(' || (closing && data[at] == ')') ||
                        data[at] == 0xc2 || data[at] == 0xa0))
        at++;
    return at;
}

static size_t skip_blanks(const uint8_t *data, size_t at, size_t size) {
    size_t end = size - at < LONGEST_JOINT ? size : at + LONGEST_JOINT;
    while (at < end && (is_blank(data[at]) || data[at] == 0xc2 || data[at] == 0xa0))
        at++;
    return at;
}

/* Whether a literal opens at an offset, perhaps behind a prefix and backslashes, with a letter or digit in it; `into`
   is where. At the end of what is seen, it may. */
static bool opens_literal(const uint8_t *data, size_t at, size_t size, size_t *into) {
    if (at < size && (((data[at] | 0x20) >= 'a' && (data[at] | 0x20) <= 'z') || data[at] == '@'))
        at++;
    for (int count = 0; count < 3 && at < size && data[at] == '\\'; count++)
        at++;
    if (at >= size || !is(data[at], QUOTE))
        return false;
    *into = at + 1;
    return at + 1 < size && is(data[at + 1], ALNUM);
}

/* Whether what follows a literal adds another to the same name: `";\nname += "`, `name.append("`. */
static bool is_addition(const uint8_t *data, size_t at, size_t size, size_t *into) {
    while (at < size && (is_blank(data[at]) || data[at] == ')' || data[at] == ';' || data[at] == 0xc2 || data[at] == 0xa0))
        at++;
    size_t name = at;
    at = skip_run(data, at, size, NAME, LONGEST_NAME + 12);
    if (at < size && data[at] == '(') {
        static const char *const calls[] = {"append", "push", "push_str", "concat", "add", "write"};
        for (size_t call = 0; call < sizeof calls / sizeof *calls; call++) {
            size_t length = strlen(calls[call]);
            if (at - name > length && data[at - length - 1] == '.' && lower[data[at - length]] == (uint8_t)calls[call][0] &&
                memcmp(data + at - length + 1, calls[call] + 1, length - 1) == 0)
                return opens_literal(data, skip_joint(data, at + 1, size, true), size, into);
        }
        return false;
    }
    size_t sign = skip_blanks(data, at, size);
    while (sign < size && sign - at < LONGEST_JOINT && memchr("+.&|<>", data[sign], 6) != NULL)
        sign++;
    if (sign >= size || data[sign] != '=' || sign == name || memchr("+.&|>", data[sign - 1], 5) == NULL)
        return false;
    return opens_literal(data, skip_joint(data, sign + 1, size, true), size, into);
}

/* Whether another literal follows the one of 16 characters or more whose closing mark is at `at`. */
static bool is_continued(const uint8_t *data, size_t at, size_t size) {
    if (at + 1 >= size || !is(data[at + 1], JOINER))
        return false;
    size_t into;
    if (!is(data[at], QUOTE)) { /* a backslash, or the = of quoted-printable, at the end of a line */
        size_t next = skip_run(data, at + 1, size, JOINER, LONGEST_JOINT);
        return next < size && is(data[next], ALNUM);
    }
    return opens_literal(data, skip_joint(data, at + 1, size, true), size, &into) || is_addition(data, at + 1, size, &into);
}

/* Whether a short literal whose closing quote is at `at` may be a piece of a value: three in a row, additions to a name,
   a list that is joined. (`binance_leaks.detect.literal_chains`) */
static bool is_short_piece(const uint8_t *data, size_t at, size_t size) {
    size_t into;
    if (at == 0 || !(is(data[at - 1], ALNUM) || data[at - 1] == '\\'))
        return false;
    size_t next = skip_joint(data, at + 1, size, true);
    if (opens_literal(data, next, size, &into)) {
        if (data[at - 1] == '\\')
            return true; /* a string in a string */
        size_t end = skip_run(data, into, size, ALNUM, LENGTH);
        while (end < size && data[end] == '\\' && end - into < LENGTH + 3)
            end++;
        if (end >= size)
            return true;
        return is(data[end], QUOTE) && opens_literal(data, skip_joint(data, end + 1, size, true), size, &into);
    }
    if (is_addition(data, at + 1, size, &into))
        return true;
    next = at + 1;
    size_t end = size - next < 60 ? size : next + 60;
    while (next < end && (is_blank(data[next]) || data[next] == ','))
        next++;
    size_t brackets = next;
    while (next < size && next - brackets < 3 && (data[next] == ']' || data[next] == ')' || data[next] == '}'))
        next++;
    if (next == brackets)
        return false;
    next = skip_blanks(data, next, size);
    if (next < size && data[next] == ',') {
        next = skip_blanks(data, next + 1, size);
        return next + 1 < size && is(data[next], QUOTE) && is(data[next + 1], QUOTE);
    }
    if (next < size && data[next] == '.') {
        next = skip_blanks(data, next + 1, size);
        return size - next >= 4 && (memcmp(data + next, "join", 4) == 0 || memcmp(data + next, "conc", 4) == 0);
    }
    return false;
}

/* Whether the call that a word begins has a list of literals: `join(["ab`, `].join("")`. */
static bool is_before_literals(const uint8_t *data, size_t word, size_t at, size_t size) {
    if (word >= 2 && data[word - 1] == '.' && data[word - 2] == ']')
        return true;
    while (at < size && (data[at] == '[' || data[at] == '(' || is_blank(data[at])))
        at++;
    return at >= size || is(data[at], QUOTE);
}

/* Whether a short literal and a comma follow a word that joins. */
static bool is_before_pieces(const uint8_t *data, size_t at, size_t size) {
    size_t end = size - at < 64 ? size : at + 64;
    for (; at < end && data[at] != ';'; at++) {
        if (!is(data[at], QUOTE))
            continue;
        size_t close = skip_run(data, at + 1, size, ALNUM, LENGTH);
        if (close == at + 1)
            continue;
        while (close < size && data[close] == '\\')
            close++;
        if (close >= size)
            return true;
        if (is(data[close], QUOTE)) {
            close = skip_blanks(data, close + 1, size);
            if (close >= size || data[close] == ',')
                return true;
        }
    }
    return false;
}

/* ---- runs ---- */

static int sextet(uint8_t byte) {
    return byte >= 'a'   ? byte - 'a' + 26
           : byte >= 'A' ? byte - 'A'
           : byte == '+' ? 62
           : byte == '/' ? 63
                         : byte - '0' + 52;
}

/* Whether a run is base64 of text, perhaps in UTF-16, wherever in the base64 it begins. */
static bool is_encoded_text(const uint8_t *run, size_t size) {
    size = size < DECODED ? size : DECODED;
    for (size_t skipped = 0; skipped < 4; skipped++) {
        bool text = true, wide[2] = {true, true}; /* zeros at odd or at even places */
        size_t place = 0;
        for (size_t at = skipped; (text || wide[0] || wide[1]) && at + 4 <= size; at += 4) {
            uint32_t three = (uint32_t)(sextet(run[at]) << 18 | sextet(run[at + 1]) << 12 | sextet(run[at + 2]) << 6 |
                                        sextet(run[at + 3]));
            for (int shift = 16; shift >= 0; shift -= 8, place ^= 1) {
                uint8_t byte = (uint8_t)(three >> shift);
                bool printable = (byte >= 0x20 && byte < 0x7f) || byte == 9 || byte == 10 || byte == 13;
                text = text && printable;
                wide[place] = wide[place] && printable;
                wide[!place] = wide[!place] && byte == 0;
            }
        }
        if (text || wide[0] || wide[1])
            return true;
    }
    return false;
}

static bool is_hex(const uint8_t *run, size_t size) {
    for (size_t at = 0; at < size; at++)
        if (!is(run[at], HEX_DIGIT))
            return false;
    return true;
}

typedef struct { /* how far names of credentials were sought, as hexadecimal digits were met in order */
    size_t sought, last;
    bool any;
} Names;

/* Whether a word that is in the names of credentials is near some hexadecimal digits. */
static bool is_named(const WordTable *table, Names *names, const uint8_t *data, size_t size, size_t start, size_t end) {
    size_t first = start > BEFORE_HEX ? start - BEFORE_HEX : 0, stop = size - end < BEHIND_HEX ? size : end + BEHIND_HEX;
    size_t at = names->sought > first ? names->sought : first;
    for (; at + 1 < stop; at++) {
        if (!(table->begins[pair_at(data + at)] & A_WORD))
            continue;
        unsigned bucket = bucket_at(data + at);
        for (unsigned number = table->first[bucket]; number < table->first[bucket + 1]; number++) {
            if (start_of(&table->words[number], data, at, size) != NULL) {
                names->any = true;
                names->last = at;
                break;
            }
        }
    }
    names->sought = at;
    return names->any && names->last >= first;
}

typedef struct { /* where something is, for Python to look at; without `list` only the traits are wanted */
    PyObject *list;
    bool failed;
} Places;

static void add_place(Places *places, size_t start, size_t end) {
    if (places == NULL || places->failed)
        return;
    PyObject *place = Py_BuildValue("nn", (Py_ssize_t)start, (Py_ssize_t)end);
    places->failed = place == NULL || PyList_Append(places->list, place) < 0;
    Py_XDECREF(place);
}

/* The traits of a run of letters and digits of at least 48. */
static uint32_t traits_of_long_run(const Search *search, Names *names, const uint8_t *data, size_t size, size_t start,
                                   size_t end, Places *runs) {
    size_t length = end - start;
    bool prefixed = data[start] == '0' && data[start + 1] == 'x';
    if (is_hex(data + start + (prefixed ? 2 : 0), length - (prefixed ? 2 : 0))) {
        if (length == LENGTH)
            return HEX | (is_named(&search->names, names, data, size, start, end) ? NAMED_HEX : 0);
        return !prefixed && length > LENGTH && length <= LONGEST_NAMED ? HEX | NAMED_HEX : 0;
    }
    bool encoded = length >= SHORTEST_ENCODED && is_encoded_text(data + start, length);
    bool last_piece = length < LENGTH && start > 0 && is(data[start - 1], QUOTE);
    /* MessagePack gives the length of a string before it, .NET in four bytes. */
    bool counted = start > 0 && (data[start - 1] == '@' || (start > 3 && memcmp(data + start - 4, "@\0\0\0", 4) == 0));
    if (!encoded && !last_piece && !(length >= LENGTH && (length <= LONGEST_GLUED || counted)))
        return 0;
    add_place(runs, start, end);
    return VALUE;
}

/* The traits of a run of base64 of at least 16, with `pieces` and long `runs` in it. */
static uint32_t traits_of_run(const Search *search, Names *names, const uint8_t *data, size_t size, size_t start,
                              size_t end, Places *runs, Places *pieces) {
    uint32_t traits = 0;
    for (size_t at = start; at < end;) {
        if (!is(data[at], ALNUM)) {
            at++;
            continue;
        }
        size_t stop = skip_run(data, at, end, ALNUM, SIZE_MAX);
        if (stop - at >= LONG_PIECE)
            traits |= traits_of_long_run(search, names, data, size, at, stop, runs);
        if (stop - at >= SHORT_PIECE && stop < size && is(data[stop], CLOSING) && is_continued(data, stop, size)) {
            traits |= PIECE;
            add_place(pieces, stop - SHORT_PIECE, stop);
        }
        at = stop;
    }
    if (end - start == SEED_LENGTH && end < size && data[end] == '=' &&
        !(end + 1 < size && (is(data[end + 1], BASE64) || data[end + 1] == '=')))
        traits |= SEED;
    return traits;
}

/* Sixty-four bytes, a bit each: whether they are of base64. Compilers make vectors of the first loop. */
static uint64_t base64_mask(const uint8_t *data) {
    uint8_t flags[BLOCK];
    for (int at = 0; at < BLOCK; at++) {
        uint8_t letter = (uint8_t)((data[at] | 0x20) - 'a'), digit = (uint8_t)(data[at] - '/');
        flags[at] = (uint8_t)((letter < 26) | (digit < 11) | (data[at] == '+'));
    }
    uint64_t mask = 0;
    for (int byte = 0; byte < BLOCK / 8; byte++) {
        uint64_t eight = 0;
        for (int at = 0; at < 8; at++)
            eight |= (uint64_t)flags[8 * byte + at] << 8 * at;
        mask |= (eight * 0x0102040810204080u >> 56) << 8 * byte; /* the lowest bits of eight bytes, side by side */
    }
    return mask;
}

typedef struct { /* the runs that end with the last byte of a block: of 1, 2, 4 and 8 bytes and more */
    uint64_t one, two, four, eight;
} Ends;

/* Where in a block runs of 16 and more are, from the sixteenth byte of each. */
static uint64_t long_enough(Ends *before, uint64_t mask) {
    uint64_t two = mask & (mask << 1 | before->one >> 63), four = two & (two << 2 | before->two >> 62);
    uint64_t eight = four & (four << 4 | before->four >> 60), sixteen = eight & (eight << 8 | before->eight >> 56);
    *before = (Ends){mask, two, four, eight};
    return sixteen;
}

/* The traits of all runs of base64 of at least 16. */
static uint32_t traits_of_runs(const Search *search, const uint8_t *data, size_t size, Places *runs, Places *pieces) {
    uint32_t traits = 0;
    Names names = {0, 0, false};
    Ends before = {0};
    for (size_t at = 0, next; at < size; at = next) {
        next = at + BLOCK;
        uint8_t padded[BLOCK] = {0};
        const uint8_t *block = data + at;
        if (size - at < BLOCK)
            block = memcpy(padded, block, size - at);
        for (uint64_t found = long_enough(&before, base64_mask(block)); found != 0;) {
            size_t sixteenth = at + (size_t)lowest_bit(found);
            size_t end = skip_run(data, sixteenth + 1, size, BASE64, SIZE_MAX);
            traits |= traits_of_run(search, &names, data, size, sixteenth - (SHORT_PIECE - 1), end, runs, pieces);
            if (end >= next) {
                next = end;
                before = (Ends){0};
                break;
            }
            found &= ~(uint64_t)0 << (end - at);
        }
    }
    return traits;
}

/* ---- text in other forms ---- */

/* Whether eight escaped characters of ASCII begin at a backslash or ampersand: `\u0041`, `\\x41`, `&#65;`. */
static bool are_escapes(const uint8_t *data, size_t at, size_t size) {
    for (int count = 0; count < ESCAPES; count++) {
        if (at >= size)
            return false;
        if (data[at] == '\\') {
            size_t slashes = at;
            while (at < size && data[at] == '\\' && at - slashes < 4)
                at++;
            if (size - at >= 3 && data[at] == 'u' && data[at + 1] == '0' && data[at + 2] == '0')
                at += 3;
            else if (at < size && data[at] == 'x')
                at++;
            else
                return false;
            if (size - at < 2 || data[at] < '2' || data[at] > '7' || !is(lower[data[at + 1]], HEX_DIGIT))
                return false;
            at += 2;
        } else if (data[at] == '&') {
            if (size - at < 5 || data[at + 1] != '#')
                return false;
            at += data[at + 2] == 'x' ? 3 : 2;
            size_t digits = at;
            while (at < size && at - digits < 3 && is(lower[data[at]], HEX_DIGIT))
                at++;
            if (at - digits < 2 || at >= size || data[at] != ';')
                return false;
            at++;
        } else {
            return false;
        }
    }
    return true;
}

/* Whether there is text in UTF-16 or UTF-32, either end first: characters of base64, each with its zeros behind it. */
static bool holds_wide_run(const uint8_t *data, size_t size) {
    size_t next[2] = {0}, length[2] = {0}, next_wider[4] = {0}, length_wider[4] = {0};
    const uint8_t *end = data + size, *zero = data + 1;
    while (zero < end && (zero = memchr(zero, 0, (size_t)(end - zero))) != NULL) {
        size_t at = (size_t)(zero - data) - 1;
        zero++;
        if (!is(data[at], BASE64))
            continue;
        length[at & 1] = next[at & 1] == at ? length[at & 1] + 1 : 1;
        next[at & 1] = at + 2;
        if (length[at & 1] == WIDE_RUN)
            return true;
        if (size - at < 4 || data[at + 2] != 0 || data[at + 3] != 0)
            continue;
        length_wider[at & 3] = next_wider[at & 3] == at ? length_wider[at & 3] + 1 : 1;
        next_wider[at & 3] = at + 4;
        if (length_wider[at & 3] == WIDE_RUN)
            return true;
    }
    return false;
}

/* Whether eight bytes may be in the middle of such text: every other one is zero, and all others are of base64. */
static bool may_be_wide(const uint8_t *data) {
    uint64_t eight;
    memcpy(&eight, data, sizeof eight);
    if (eight == 0 || ((eight & 0x00ff00ff00ff00ffu) != 0 && (eight & 0xff00ff00ff00ff00u) != 0))
        return false;
    for (int at = 0; at < 8; at++)
        if (data[at] != 0 && !is(data[at], BASE64))
            return false;
    return true;
}

/* The same in all of the data: the shortest text takes 32 bytes, so that eight from a multiple of 16 are within it. */
static bool holds_wide_text(const uint8_t *data, size_t size) {
    for (size_t at = 0; at + 8 <= size; at += 16) {
        if (!may_be_wide(data + at))
            continue;
        size_t start = at < WIDE_REACH ? 0 : at - WIDE_REACH;
        size_t end = size - at < WIDE_REACH + 8 ? size : at + WIDE_REACH + 8;
        if (holds_wide_run(data + start, end - start))
            return true;
    }
    return false;
}

/* ---- one pass ---- */

static bool is_met(const Word *word, const uint8_t *data, size_t at, size_t size) {
    size_t end = at + word->size;
    switch (word->condition) {
    case BEFORE_LITERALS:
        return is_before_literals(data, at, end, size);
    case BEFORE_PIECES:
        return is_before_pieces(data, end, size);
    case INSIDE_WORD:
        return at > 0 && is(data[at - 1], ALNUM) && end < size &&
               (is(data[end], ALNUM) || data[end] == '<' || data[end] == '&' || data[end] >= 0xc2);
    default:
        return true;
    }
}

/* The traits of the words whose anchor is at an offset. */
static uint32_t traits_of_anchor(const WordTable *table, const uint8_t *data, size_t at, size_t size, uint32_t traits,
                                 Places *chains) {
    unsigned bucket = bucket_at(data + at);
    for (unsigned number = table->first[bucket]; number < table->first[bucket + 1]; number++) {
        const Word *word = &table->words[number];
        if (!(word->trait & ~traits) && !(chains != NULL && word->trait == CHAIN))
            continue;
        const uint8_t *start = start_of(word, data, at, size);
        if (start != NULL && is_met(word, data, (size_t)(start - data), size)) {
            traits |= word->trait;
            if (word->trait == CHAIN)
                add_place(chains, at, at + 2);
        }
    }
    return traits;
}

/* The traits of what may begin at an offset, by its first two bytes. */
static uint32_t traits_of_pair(const WordTable *table, const uint8_t *data, size_t at, size_t size, uint32_t traits,
                               Places *chains) {
    uint8_t what = table->begins[pair_at(data + at)];
    if (what & A_WORD)
        traits = traits_of_anchor(table, data, at, size, traits, chains);
    if (what & A_CLOSING_QUOTE && (chains != NULL || !(traits & CHAIN)) && is_short_piece(data, at + 1, size)) {
        traits |= CHAIN;
        add_place(chains, at + 1, at + 2);
    }
    if (what & AN_ESCAPE && !(traits & WIDE) && are_escapes(data, at, size))
        traits |= WIDE;
    return traits;
}

/* The traits of words, escapes and short pieces. */
static uint32_t traits_of_words(const Search *search, const uint8_t *data, size_t size, Places *chains) {
    const WordTable *table = &search->words;
    const uint8_t *begins = table->begins;
    uint32_t traits = 0;
    size_t at = 0;
    for (; at + 9 <= size; at += 8) { /* by eight, as nearly all pairs begin nothing */
        const uint8_t *next = data + at;
        if (!(begins[pair_at(next)] | begins[pair_at(next + 1)] | begins[pair_at(next + 2)] | begins[pair_at(next + 3)] |
              begins[pair_at(next + 4)] | begins[pair_at(next + 5)] | begins[pair_at(next + 6)] | begins[pair_at(next + 7)]))
            continue;
        unsigned found = 0;
        for (int one = 0; one < 8; one++)
            found |= (unsigned)(begins[pair_at(next + one)] != 0) << one;
        for (; found != 0; found &= found - 1)
            traits = traits_of_pair(table, data, at + (size_t)lowest_bit(found), size, traits, chains);
    }
    for (; at + 1 < size; at++)
        traits = traits_of_pair(table, data, at, size, traits, chains);
    return traits;
}

static uint32_t traits_of(const Search *search, const uint8_t *data, size_t size) {
    uint32_t traits = traits_of_runs(search, data, size, NULL, NULL) | traits_of_words(search, data, size, NULL);
    if (memchr(data, 0, size) != NULL)
        traits |= BINARY | (holds_wide_text(data, size) ? WIDE : 0);
    return traits;
}

bool must_look(int64_t inherited, int64_t seen) {
    if (inherited & CLEAN && !(seen & ~(inherited & (NAMED | MENTION | FUTURE))))
        return false;
    int64_t traits = inherited | seen;
    if (traits & (VALUE | PIECE | LIST | ENCODED | PRIVATE_KEY | WIDE | DATABASE | PICTURE | PACKED) ||
        seen & ~inherited & BINARY)
        return true;
    return (traits & HEX && traits & (MENTION | FUTURE)) || (traits & (SEED | CHAIN) && traits & NAMED);
}

/* ---- for Python ---- */

static PyTypeObject search_type;

int64_t search_traits(PyObject *search, const uint8_t *data, size_t size) {
    if (!PyObject_TypeCheck(search, &search_type)) {
        PyErr_SetString(PyExc_TypeError, "a Search is needed");
        return -1;
    }
    return size == 0 ? 0 : traits_of((const Search *)search, data, size);
}

static PyObject *new_search(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"words", "names", NULL};
    PyObject *words, *near;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO", names, &words, &near))
        return NULL;
    Search *search = (Search *)type->tp_alloc(type, 0);
    if (search != NULL && (read_table(&search->words, words) < 0 || read_table(&search->names, near) < 0))
        Py_CLEAR(search);
    return (PyObject *)search;
}

static void free_search(PyObject *self) {
    free_table(&((Search *)self)->words);
    free_table(&((Search *)self)->names);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *traits_method(PyObject *self, PyObject *bytes) {
    Py_buffer data;
    if (PyObject_GetBuffer(bytes, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    int64_t traits = search_traits(self, data.buf, (size_t)data.len);
    PyBuffer_Release(&data);
    return traits < 0 ? NULL : PyLong_FromLongLong(traits);
}

enum { RUNS, PIECES, CHAINS };

static PyObject *places_of(PyObject *self, PyObject *bytes, int kind) {
    Py_buffer data;
    if (PyObject_GetBuffer(bytes, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    Places places = {PyList_New(0), false};
    if (places.list != NULL && data.len > 0) {
        const Search *search = (const Search *)self;
        if (kind == CHAINS)
            traits_of_words(search, data.buf, (size_t)data.len, &places);
        else
            traits_of_runs(search, data.buf, (size_t)data.len, kind == RUNS ? &places : NULL, kind == PIECES ? &places : NULL);
    }
    PyBuffer_Release(&data);
    if (places.failed)
        Py_CLEAR(places.list);
    return places.list;
}

static PyObject *runs_method(PyObject *self, PyObject *bytes) {
    return places_of(self, bytes, RUNS);
}

static PyObject *pieces_method(PyObject *self, PyObject *bytes) {
    return places_of(self, bytes, PIECES);
}

static PyObject *chains_method(PyObject *self, PyObject *bytes) {
    return places_of(self, bytes, CHAINS);
}

/* Add the words that are in some bytes: to `present` a mark for each, to `list` their numbers and starts. */
static bool find_words(const WordTable *table, const uint8_t *data, size_t size, char *present, Places *places) {
    for (size_t at = 0; at + 1 < size; at++) {
        if (!(table->begins[pair_at(data + at)] & A_WORD))
            continue;
        unsigned bucket = bucket_at(data + at);
        for (unsigned number = table->first[bucket]; number < table->first[bucket + 1]; number++) {
            const Word *word = &table->words[number];
            if (present != NULL && present[word->trait])
                continue;
            const uint8_t *start = start_of(word, data, at, size);
            if (start == NULL)
                continue;
            if (present != NULL)
                present[word->trait] = 1;
            add_place(places, word->trait, (size_t)(start - data));
        }
    }
    return places == NULL || !places->failed;
}

/* The numbers of words are their traits: each must be less than how many there are. */
static bool are_numbered(const WordTable *table) {
    Py_ssize_t count = PyTuple_GET_SIZE(table->owner);
    for (Py_ssize_t number = 0; number < count; number++) {
        if (table->words[number].trait >= count) {
            PyErr_SetString(PyExc_ValueError, "the words are not numbered");
            return false;
        }
    }
    return true;
}

static PyObject *present_method(PyObject *self, PyObject *bytes) {
    const WordTable *table = &((Search *)self)->words;
    Py_buffer data;
    if (!are_numbered(table) || PyObject_GetBuffer(bytes, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(table->owner);
    PyObject *present = PyBytes_FromStringAndSize(NULL, count);
    if (present != NULL) {
        memset(PyBytes_AS_STRING(present), 0, (size_t)count);
        find_words(table, data.buf, (size_t)data.len, PyBytes_AS_STRING(present), NULL);
    }
    PyBuffer_Release(&data);
    return present;
}

static PyObject *places_method(PyObject *self, PyObject *bytes) {
    Py_buffer data;
    if (PyObject_GetBuffer(bytes, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    Places places = {PyList_New(0), false};
    if (places.list != NULL && !find_words(&((Search *)self)->words, data.buf, (size_t)data.len, NULL, &places))
        Py_CLEAR(places.list);
    PyBuffer_Release(&data);
    return places.list;
}

static PyMethodDef search_methods[] = {
    {"present", present_method, METH_O, "Return a byte for each word, whose trait is its number: 1 if it is there."},
    {"places", places_method, METH_O, "Return trait and start of every word, in order."},
    {"traits", traits_method, METH_O, "Return the traits of some bytes, as bits."},
    {"runs", runs_method, METH_O, "Return start and end of every long run that has the trait VALUE."},
    {"pieces", pieces_method, METH_O, "Return start and end of the last 16 characters of every piece of a value."},
    {"chains", chains_method, METH_O, "Return start and end of every sign of a short piece of a value, in order."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject search_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "binance_leaks._native.Search",
    .tp_doc = "The first test on bytes, for some words.",
    .tp_basicsize = sizeof(Search),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = new_search,
    .tp_dealloc = free_search,
    .tp_methods = search_methods,
};

static PyObject *must_look_function(PyObject *module, PyObject *arguments) {
    (void)module;
    long long inherited, seen;
    if (!PyArg_ParseTuple(arguments, "LL", &inherited, &seen))
        return NULL;
    return PyBool_FromLong(must_look(inherited, seen));
}

static PyMethodDef functions[] = {
    {"must_look", must_look_function, METH_VARARGS, "The same as `binance_leaks.detect.first_test.must_look`."},
    {NULL, NULL, 0, NULL},
};

int add_search(PyObject *module) {
    fill_classes();
    if (PyType_Ready(&search_type) < 0 || PyModule_AddFunctions(module, functions) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "Search", (PyObject *)&search_type);
}
