// What a test asks of Thunderbird. The functions run in its main process, with the interfaces that its own windows use.
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

const LIMIT_MILLISECONDS = 50000;

async function until(what, reached) {
  const end = Date.now() + LIMIT_MILLISECONDS;
  for (;;) {
    const found = await reached();
    if (found) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`Thunderbird did not get so far: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Makes the mail account of a patient, which sends through an SMTP server on this machine, and their own calendar.
function becomePatient(address, smtpPort) {
  const [user, host] = address.split("@");
  const server = MailServices.accounts.createIncomingServer(user, host, "pop3");
  server.loginAtStartUp = false;
  server.doBiff = false;
  const outgoing = MailServices.outgoingServer.createServer("smtp");
  const smtp = outgoing.QueryInterface(Ci.nsISmtpServer);
  smtp.hostname = "127.0.0.1";
  smtp.port = smtpPort;
  outgoing.authMethod = Ci.nsMsgAuthMethod.none;
  outgoing.socketType = Ci.nsMsgSocketType.plain;
  const identity = MailServices.accounts.createIdentity();
  identity.email = address;
  identity.smtpServerKey = outgoing.key;
  identity.doFcc = false;
  const account = MailServices.accounts.createAccount();
  account.incomingServer = server;
  account.addIdentity(identity);
  MailServices.accounts.defaultAccount = account;

  for (const calendar of cal.manager.getCalendars()) {
    cal.manager.unregisterCalendar(calendar);
  }
  const calendar = cal.manager.createCalendar("storage", Services.io.newURI("moz-storage-calendar://"));
  calendar.name = "own";
  cal.manager.registerCalendar(calendar);
  calendar.setProperty("imip.identity.key", identity.key);
  return calendar.id;
}

// Does something after which a calendar loads what there is, and waits until it has.
async function loading(calendar, act) {
  let ended = null;
  const ignore = () => {};
  const observer = {
    QueryInterface: ChromeUtils.generateQI(["calIObserver"]),
    onLoad: () => (ended = "loaded"),
    onError: (source, code, message) => (ended = `failed: ${message}`),
    onStartBatch: ignore,
    onEndBatch: ignore,
    onAddItem: ignore,
    onModifyItem: ignore,
    onDeleteItem: ignore,
    onPropertyChanged: ignore,
    onPropertyDeleting: ignore,
  };
  calendar.addObserver(observer);
  act();
  await until("the calendar is loaded", () => ended);
  calendar.removeObserver(observer);
  if (ended != "loaded") {
    throw new Error(`the calendar ${ended}`);
  }
}

// Subscribes to a calendar on the web, read-only, and waits until it is here; gives its id.
async function subscribe(url) {
  const calendar = cal.manager.createCalendar("ics", Services.io.newURI(url));
  calendar.name = "feed";
  calendar.readOnly = true;
  await loading(calendar, () => cal.manager.registerCalendar(calendar));
  return calendar.id;
}

// Loads a subscribed calendar again, and waits until that is done.
async function refresh(id) {
  const calendar = cal.manager.getCalendarById(id);
  await loading(calendar, () => calendar.refresh());
}

// Every event of a calendar, as a person would see it; instants in seconds since 1970.
async function events(id) {
  const calendar = cal.manager.getCalendarById(id);
  const items = await calendar.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_TYPE_EVENT, 0, null, null);
  return items.map((item) => ({
    uid: item.id,
    start: item.startDate.nativeTime / 1e6,
    end: item.endDate.nativeTime / 1e6,
    title: item.title,
    place: item.getProperty("LOCATION"),
    status: item.status,
    sequence: Number(item.getProperty("X-MOZ-RECEIVED-SEQUENCE") ?? item.getProperty("SEQUENCE")),
    attendees: item.getAttendees().map((attendee) => [attendee.id, attendee.participationStatus]),
  }));
}

// The window that shows the one open message.
function shown() {
  const { tabInfo } = Services.wm.getMostRecentWindow("mail:3pane").document.getElementById("tabmail");
  return tabInfo.find((tab) => tab.mode.name == "mailMessageTab").chromeBrowser.contentWindow;
}

// The buttons that the bar above the message offers.
function offered() {
  const buttons = shown().calImipBar.getButtons();
  return buttons.filter((button) => button.id && !button.hidden).map((button) => button.id);
}

// Puts a message into the inbox and opens it; gives the buttons that are offered.
async function receive(message) {
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  const tabmail = window.document.getElementById("tabmail");
  tabmail.closeOtherTabs(tabmail.tabInfo[0]);
  const inbox = MailServices.accounts.defaultAccount.incomingServer.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  const header = inbox.QueryInterface(Ci.nsIMsgLocalMailFolder).addMessage(message);
  tabmail.openTab("mailMessageTab", { messageURI: inbox.getUriForMsg(header) });
  await until("the calendar has looked at the message", () => shown().calImipBar?.itipItem);
  return offered();
}

// Presses a button that is offered, and waits until there is nothing left to do with the message.
async function press(button) {
  if (!offered().includes(button)) {
    throw new Error(`${button} is not offered, but ${offered().join(", ")}`);
  }
  shown().document.getElementById(button).doCommand();
  await until(`${button} has done its work`, () => !shown().calImipBar.actionFunc);
}
