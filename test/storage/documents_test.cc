#include "daemon/storage/documents.h"

#include <gmock/gmock.h>

#include "test/storage/samples.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

TEST(DocumentsTest, ASpecificationIsReadBackAsItWas) {
  EXPECT_EQ(text_of(read_spec_document(spec_document(full_spec("ro_a")))),
            text_of(full_spec("ro_a")));
  EXPECT_EQ(text_of(read_spec_document(spec_document(RolloutSpec{}))), text_of(RolloutSpec{}));
}

TEST(DocumentsTest, AnEventIsReadBackAsItWas) {
  EXPECT_EQ(text_of(read_event_document(event_document(full_event()))), text_of(full_event()));
  EXPECT_EQ(text_of(read_event_document(event_document(Event{}))), text_of(Event{}));
}

TEST(DocumentsTest, NamesAreWrittenForPeople) {
  EXPECT_THAT(event_document(full_event()), HasSubstr(R"("type":"decided")"));
  EXPECT_THAT(event_document(full_event()), HasSubstr(R"("state":"rolling_back")"));
}

// A server's error text, cut in the middle of a character, must not make a commit impossible.
TEST(DocumentsTest, BytesThatAreNotUtf8AreReplaced) {
  Event event;
  event.summary = "caf\xc3";
  event.reason = "\xff";
  const Event again = read_event_document(event_document(event));
  EXPECT_EQ(again.summary, "caf\xef\xbf\xbd");
  EXPECT_EQ(again.reason, "\xef\xbf\xbd");
}

TEST(DocumentsTest, WhatIsNotOurDocumentIsSaidSo) {
  for (const char* bad :
       {"", "{", "[]x", R"({"type":7})", R"({"type":"sneezed"})", R"({"at":"noon"})"}) {
    EXPECT_THROW(read_event_document(bad), DocumentError) << bad;
  }
  for (const char* bad : {"", R"({"labels":[1]})", R"({"attempt":"two"})"}) {
    EXPECT_THROW(read_spec_document(bad), DocumentError) << bad;
  }
  EXPECT_THROW(read_delivery_state("lost"), DocumentError);
  EXPECT_THROW(read_delivery_class("letter"), DocumentError);
}

}  // namespace
}  // namespace rollwatch
