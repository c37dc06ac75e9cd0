// Styles are files beside the scripts, which the build names.

declare module "*.css";
