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

// Before the first connection is opened: allocations then need no lock for counters that nobody reads.
static inline int twinline_disable_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
#endif
