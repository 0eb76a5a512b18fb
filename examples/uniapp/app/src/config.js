// Where is the chat?

let url;

// #ifdef H5
// The page's own host: a page of https: may dial only wss:, and a path takes the scheme from the page.
url = '/chat';
// #endif

// #ifndef H5
// A mini-program has no address of its own, so this one is whole. On a phone WeChat dials it only if
// - it is wss:, with a certificate of a known authority; ws: is refused,
// - its host is in the list of socket domains: mp.weixin.qq.com, Development, Development settings, Server domain names.
//   A path and a port that is not in the list do not count as the same.
// Else the dial fails with "url not in domain list". While developing, the tools can leave that out: Details, Local
// settings, "Do not verify valid domain names". A preview on a phone verifies them again, unless its debug mode is on.
// Alipay and Douyin have the same rule and a list each.
url = 'wss://chat.example.com/chat';
// #endif

export const CHAT_URL = url;

// In your app: what your server gave you at login. It goes in the first message, since H5 and some hosts send no headers,
// and a token in the URL ends up in logs.
export const TOKEN = 'token-of-ann';
