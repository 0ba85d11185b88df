"""Makes up messages with hl7gen: ``COUNT SEED``; writes them one after another, a record separator after each.

hl7gen reads each message that it made with hl7apy once more, which takes nine tenths of its time and changes nothing.
"""

import random
import sys
from types import SimpleNamespace

from faker import Faker
from hl7gen import generator

KINDS = ("SIU_S12", "ADT_A01", "ORM_O01", "REF_I12")
VERSIONS = ("2.5", "2.4", "2.3.1")

count, seed = map(int, sys.argv[1:])
random.seed(seed)
Faker.seed(seed)
generator.parse_message = lambda text: SimpleNamespace(to_er7=lambda: text)
for number in range(count):
    made = generator.generate_message(KINDS[number % len(KINDS)], VERSIONS[number % len(VERSIONS)])
    sys.stdout.write(made.replace("\r", "\n") + "\x1e")
