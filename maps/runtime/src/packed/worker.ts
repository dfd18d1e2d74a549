import { type Report, serve, type Task } from "./serve";

/** The global scope here is a worker's, whose `postMessage` names what it moves. */
const post = self.postMessage as unknown as (report: Report, move: Transferable[]) => void;

self.onmessage = ({ data }: MessageEvent<Task>) => void serve(data, post);
