// SQLite's C interface with the preupdate hook and the changeset iterator, which the plain header leaves out.
#ifndef TWINLINE_SQLITE_SESSION_H
#define TWINLINE_SQLITE_SESSION_H
#define SQLITE_ENABLE_SESSION 1
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include <sqlite3.h>

// Swift can't call a function with a variable number of arguments.
static inline int twinline_enable_triggers(sqlite3 *connection, int enabled) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, enabled, (int *)0);
}

// As above.
static inline int twinline_enforce_foreign_keys(sqlite3 *connection, int enforced) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_FKEY, enforced, (int *)0);
}

// No SQL may then write what only SQLite itself should: its schema table, a virtual table's shadows.
static inline int twinline_defend(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

// Before the first connection is opened: allocations then need no lock for counters that nobody reads.
static inline int twinline_disable_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// The same, and likewise: a file's name may be a URI that names the way to the disk.
static inline int twinline_allow_uris(void) {
    return sqlite3_config(SQLITE_CONFIG_URI, 1);
}

// For a simulator: what SQLite draws at random from then on.
static inline int twinline_seed(int number) {
    return sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, number, (sqlite3 *)0);
}

// The file that a VFS which stands before another one has opened there: it follows its own in memory.
static inline sqlite3_file *twinline_next_file(sqlite3_file *file) {
    return file + 1;
}
#endif
