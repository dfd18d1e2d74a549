import program from "worker:packed/worker.ts";
import { type Decoded, decode, type Progress } from "./decode";
import type { Report, Task } from "./serve";

/** Characters from which on a worker is worth its start. */
const MUCH = 1_500_000;

/** Decodes in a worker; here where there is little, or where the browser allows none. */
export async function load(task: Task, progress: Progress): Promise<Decoded> {
  if (task.data.length < MUCH) return decode(task.content, task.data, progress);
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  try {
    return await inWorker(new Worker(url), task, progress);
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    return decode(task.content, task.data, progress);
  } finally {
    URL.revokeObjectURL(url);
  }
}

class DecodeError extends Error {}

function inWorker(worker: Worker, task: Task, progress: Progress): Promise<Decoded> {
  return new Promise<Decoded>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if ("share" in data) progress(data.share);
      else if ("decoded" in data) resolve(data.decoded);
      else reject(new DecodeError(data.error));
    };
    // A worker that cannot start at all ends here, without a message of its own.
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}
