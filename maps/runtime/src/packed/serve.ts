import { buffersOf, type Content, type Decoded, decode } from "./decode";

export interface Task {
  content: Content;
  data: string;
}

export type Report = { share: number } | { decoded: Decoded } | { error: string };

const TOLD_EVERY = 0.02;

/** What the worker does with a task; apart from worker.ts, which has a worker's globals. */
export async function serve(task: Task, post: (report: Report, move: Transferable[]) => void) {
  let told = 0;
  try {
    const decoded = await decode(task.content, task.data, (share) => {
      if (share - told < TOLD_EVERY) return;
      told = share;
      post({ share }, []);
    });
    post({ decoded }, buffersOf(decoded));
  } catch (error) {
    post({ error: String(error) }, []);
  }
}
