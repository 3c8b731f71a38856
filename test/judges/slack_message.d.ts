// What Rollwatch may send to Slack, in Slack's own types. Those let an attachment hold blocks of any kind;
// here only known ones pass, so that a misspelt type or field is an error.
import type { KnownBlock, MessageAttachment } from "@slack/types";
import type { ChatPostMessageArguments, ChatUpdateArguments } from "@slack/web-api";

type Attachment = Omit<MessageAttachment, "blocks"> & { blocks: KnownBlock[] };

interface Message {
  text: string;
  attachments: Attachment[];
  unfurl_links?: boolean;
  unfurl_media?: boolean;
}

export type WebhookMessage = Message;

type Root = Message & { channel: string; thread_ts?: undefined };
// A line in a thread may be text alone.
type Reply = Omit<Message, "attachments"> & { channel: string; thread_ts: string; reply_broadcast?: boolean; attachments?: Attachment[] };

export type PostedMessage = (Root | Reply) & ChatPostMessageArguments;

export type EditedMessage = Omit<Message, "unfurl_links" | "unfurl_media"> & { channel: string; ts: string } & ChatUpdateArguments;
