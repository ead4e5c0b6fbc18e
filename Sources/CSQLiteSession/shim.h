// SQLite's C interface with the preupdate hook and the changeset iterator, which the plain header leaves out.
#ifndef TWINLINE_SQLITE_SESSION_H
#define TWINLINE_SQLITE_SESSION_H
#define SQLITE_ENABLE_SESSION 1
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include <sqlite3.h>
#endif
