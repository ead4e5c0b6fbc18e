"""Calls that are on the seat's own disk before they are sent, and stay there until they have their answer. What is taken
while nobody answers is delivered once, in order, when somebody does, also by the next program if this one dies."""

import asyncio
import base64
import json
import os
import pathlib

from seat_client import SeatError, pb


class Outbox:
    def __init__(self, client, folder, settled=lambda command, error: None):
        """`settled`: told what became of a call whose caller knows only that it is kept; `error` is None, or why not."""
        self.client, self.folder, self.settled = client, pathlib.Path(folder), settled
        self.folder.mkdir(exist_ok=True)
        found = (json.loads(path.read_text()) for path in self.folder.glob("*.call"))
        self.calls = sorted(found, key=lambda call: call["number"])  # oldest first: only that one is under way
        self.callers, self.unsent = {}, set()
        self.next, self.came = (self.calls[-1]["number"] if self.calls else 0) + 1, asyncio.Event()
        self.saving = asyncio.Lock()  # in the order in which they were taken
        self.task = asyncio.get_running_loop().create_task(self._deliver())

    async def keep(self, patience, **command):
        """Keeps the call, then has it done. Who waits for longer is told `SeatError("kept", …)`."""
        call = {"number": self.next, "name": None,
                "command": base64.b64encode(pb.Request(**command).SerializeToString()).decode()}
        self.next += 1
        async with self.saving:
            await asyncio.to_thread(self._save, call)  # raises OSError: not kept, and not sent
            answer = self.callers[call["number"]] = asyncio.get_running_loop().create_future()
            self.calls.append(call)
        self.came.set()
        try:
            return await asyncio.wait_for(answer, patience)
        except asyncio.TimeoutError:
            raise SeatError("kept", f"not yet delivered ({len(self.calls)})") from None
        finally:
            self.callers.pop(call["number"], None)

    def close(self):
        self.task.cancel()

    async def _deliver(self):
        while True:
            self.came.clear()
            while self.calls:
                try:
                    await self._deliver_one(self.calls[0])
                except OSError:
                    await asyncio.sleep(1)  # the disk is full, or away: all stays as it is there
            await self.came.wait()

    async def _deliver_one(self, call):
        number = call["number"]
        if not call["name"]:
            name = await self.client.reserve()
            try:
                await asyncio.to_thread(self._save, call | {"name": list(name)})  # before the first copy is sent
            except OSError:
                self.client.rules.give_up(name)
                raise
            call["name"] = list(name)
            self.unsent.add(number)
        is_new, error, done = number in self.unsent, None, None
        self.unsent.discard(number)
        try:
            done = await self.client.perform_kept(command_of(call), tuple(call["name"]), is_new)
        except SeatError as failure:
            if failure.kind == "name_void":  # it was not run under this name, and never will be
                call["name"] = None
                return
            error = failure
        # Before the next request, which tells the pair that it may forget this answer.
        await asyncio.to_thread(self._remove, call)
        self.calls.pop(0)
        answer = self.callers.get(number)
        if answer is None or answer.done():
            self.settled(command_of(call), error)
        elif error:
            answer.set_exception(error)
        else:
            answer.set_result(done)

    def _path(self, call):
        return self.folder / f"{call['number']:012}.call"

    def _save(self, call):
        path = self._path(call)
        with open(path.with_suffix(".new"), "w") as file:
            json.dump(call, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path.with_suffix(".new"), path)
        self._sync_names()

    def _remove(self, call):
        self._path(call).unlink()
        self._sync_names()

    def _sync_names(self):
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def command_of(call):
    request = pb.Request.FromString(base64.b64decode(call["command"]))
    kind = request.WhichOneof("command")
    return {kind: getattr(request, kind)}
