// Where this component saves; net.js, shared with the others, goes there.

const ROUTES = "/api/marker/";
