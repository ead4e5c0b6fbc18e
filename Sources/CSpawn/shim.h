// glibc has this since 2.34, but shows it only to those who ask for all of GNU, which Swift's own module does not.
#pragma once
#include <spawn.h>

int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
