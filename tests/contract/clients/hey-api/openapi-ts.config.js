export default {
  output: { path: "register", module: { extension: ".js" } },
  logs: { file: false },
};
