declare module "*.png" {
  const dataUrl: string;
  export default dataUrl;
}
declare module "*.css";
/** The script of a worker, as text: see build.mjs. */
declare module "worker:*" {
  const program: string;
  export default program;
}
