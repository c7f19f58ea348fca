// The scripts of every page. The wallet, which is large, loads when somebody needs it.
import "htmx.org";
import Alpine from "@alpinejs/csp";
import { ballot } from "./ballot.js";
import { board } from "./board.js";
import { live } from "./live.js";
import { mint, signIn } from "./wallet-ui.js";

Alpine.data("ballot", ballot);
Alpine.data("board", board);
Alpine.data("live", live);
Alpine.data("mint", mint);
Alpine.data("signIn", signIn);
Alpine.start();
