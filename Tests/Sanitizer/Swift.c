// Tells ThreadSanitizer what Swift's libraries, which are not built for it, do between threads: preloaded (LD_PRELOAD),
// it stands before their functions. A process without the sanitizer runs as before.
//
// What a Mutex does while nobody waits is compiled into its user, and seen. Where threads wait for each other it is the
// library that locks and unlocks (PI futexes), which is not built for the sanitizer: what one thread did under the lock
// then looks as if it raced with what the next one does.
//
// A continuation that is resumed before its task awaits it: the runtime tells the sanitizer of the resumption, as it
// does of a task that is put off and run later, but not that the task goes on at once (swift_continuation_await).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define ASYNC __attribute__((swiftasynccall))
// Synchronization._MutexHandle._lockSlow(UInt32) and ._unlockSlow()
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef SWIFT void (*Lock)(uint32_t, SELF void *);
typedef SWIFT void (*Unlock)(SELF void *);

SWIFT void lock(uint32_t thread, SELF void *mutex) __asm__(LOCK);
SWIFT void lock(uint32_t thread, SELF void *mutex) {
    ((Lock)dlsym(RTLD_NEXT, LOCK))(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock(SELF void *mutex) __asm__(UNLOCK);
SWIFT void unlock(SELF void *mutex) {
    if (__tsan_release) __tsan_release(mutex);
    ((Unlock)dlsym(RTLD_NEXT, UNLOCK))(mutex);
}

typedef ASYNC void (*Await)(void *);

SWIFT void *swift_task_getCurrent(void) __attribute__((weak));

ASYNC void swift_continuation_await(void *context) {
    Await next = (Await)dlsym(RTLD_NEXT, "swift_continuation_await");
    if (__tsan_acquire && swift_task_getCurrent) __tsan_acquire(swift_task_getCurrent());
    return next(context);
}
