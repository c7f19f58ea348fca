// The scripts of every page. The wallet and the check, which are large, load when somebody needs them.
import "htmx.org";
import Alpine from "@alpinejs/csp";
import { ballot } from "./ballot.js";
import { board } from "./board.js";
import { charts } from "./charts.js";
import { check } from "./check-ui.js";
import { comment } from "./comment.js";
import { curate } from "./curate.js";
import { live } from "./live.js";
import { run } from "./run.js";
import { followFilters, pageKeys, share, watchRequests } from "./pages.js";
import { mint, signIn } from "./wallet-ui.js";

Alpine.data("ballot", ballot);
Alpine.data("board", board);
Alpine.data("charts", charts);
Alpine.data("check", check);
Alpine.data("comment", comment);
Alpine.data("curate", curate);
Alpine.data("live", live);
Alpine.data("mint", mint);
Alpine.data("pageKeys", pageKeys);
Alpine.data("run", run);
Alpine.data("share", share);
Alpine.data("signIn", signIn);
Alpine.start();
followFilters();
watchRequests();
