// Where this component asks and decides; net.js, shared with the others, goes there.

const ROUTES = "/api/adjudicate/";
