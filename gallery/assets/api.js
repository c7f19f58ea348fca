// JSON requests with the CSRF token and a message a person can read when they fail.

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code || "";
  }
}

function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]').content;
}

export async function request(path, body, more = {}) {
  const options = { ...more, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) };
  if (body !== undefined) {
    options.method = more.method || "POST";
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
    options.headers["X-CSRFToken"] = csrfToken();
  }
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw new ApiError(0, { detail: "The server does not answer. Check the connection and try again." });
  }
  if (reply.status === 204) return null;
  const content = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new ApiError(reply.status, content);
  return content;
}
