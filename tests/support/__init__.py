"""What tests of several rooms share: servers, browsers, people, engines."""
