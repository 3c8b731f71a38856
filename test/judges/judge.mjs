// Other people's implementations say whether they take what Rollwatch sent.
//
//   node judge.mjs standardwebhooks FILE   {"secret", "headers", "body"}: the signature is good
//   node judge.mjs cloudevents FILE        {"headers", "body"}: it is one CloudEvent; prints it
//   node judge.mjs slack-api URL TOKEN CHANNEL   Slack's own client against a server that says it is Slack
//
// Ends with 0 if the judge is content, 1 and its words if it is not. Run it in the folder the judges are
// installed in (install.sh): that is where they are looked for.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(`${process.cwd()}/`);

function message(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

const judges = {
  standardwebhooks([file]) {
    const { Webhook } = require("standardwebhooks");
    const { secret, headers, body } = message(file);
    new Webhook(secret).verify(body, headers);
    return "genuine";
  },

  cloudevents([file]) {
    const { HTTP } = require("cloudevents");
    const { headers, body } = message(file);
    const event = HTTP.toEvent({ headers, body });
    if (Array.isArray(event)) throw new Error("a batch was not asked for");
    event.validate();
    return JSON.stringify(event);
  },

  // What a well-behaved client does with Slack must work, and what Slack refuses must be refused.
  async "slack-api"([url, token, channel]) {
    const { WebClient, LogLevel } = require("@slack/web-api");
    const options = { slackApiUrl: url.endsWith("/") ? url : `${url}/`, logLevel: LogLevel.ERROR, retryConfig: { retries: 0 } };
    const client = new WebClient(token, options);
    const refusal = async (call) => {
      try {
        await call();
      } catch (error) {
        return error.data?.error ?? error.message;
      }
      throw new Error("was taken and should not have been");
    };
    const root = await client.chat.postMessage({ channel, text: "root" });
    const reply = await client.chat.postMessage({ channel: root.channel, text: "reply", thread_ts: root.ts, reply_broadcast: true });
    const edited = await client.chat.update({ channel: root.channel, ts: root.ts, text: "root, edited", attachments: [] });
    const answers = {
      root_ts: typeof root.ts,
      reply_differs: reply.ts !== root.ts,
      reply_thread: reply.message?.thread_ts === root.ts,
      same_message: edited.ts === root.ts,
      text: edited.text ?? edited.message?.text,
      no_channel: await refusal(() => client.chat.postMessage({ channel: "C_NOWHERE", text: "x" })),
      no_message: await refusal(() => client.chat.update({ channel: root.channel, ts: "1.000001", text: "x", attachments: [] })),
      no_token: await refusal(() => new WebClient("xoxb-somebody-else", options).chat.postMessage({ channel, text: "x" })),
    };
    return JSON.stringify(answers);
  },
};

const [name, ...rest] = process.argv.slice(2);
const judge = judges[name];
if (!judge) {
  console.error(`judge: there is no judge "${name}"; there are: ${Object.keys(judges).join(", ")}`);
  process.exit(64);
}
try {
  console.log(await judge(rest));
} catch (error) {
  console.error(`${name}: ${error.message}`);
  process.exit(1);
}
